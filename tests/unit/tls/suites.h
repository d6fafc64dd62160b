S(tls)
S(keys_sign)
S(keys_store)
S(keys_role)
