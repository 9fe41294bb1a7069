"""The chats: they talk. What is said and shown is decided in bot/."""
