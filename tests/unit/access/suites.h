S(access_imap)
S(access_pop3)
S(access_session)
S(access_random)
