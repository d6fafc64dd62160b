S(roles)
S(config)
