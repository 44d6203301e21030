"""Django's own databases, with one thing more: what is collected in a transaction is written as its very last."""
