"""How each service of the system is started."""
