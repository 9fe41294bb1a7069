"""The core: it decides. No SQL, no markup, no chat library in here."""
