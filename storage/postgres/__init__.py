"""The store in a PostgreSQL database: the SQL of storage/, said in its dialect; search and connections of its own."""
