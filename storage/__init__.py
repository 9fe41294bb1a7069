"""Remembers. The only room that speaks SQL; the door it answers is bot.store.Store."""
