"""Models in, Message out: every sentence a person reads is written in this folder."""
