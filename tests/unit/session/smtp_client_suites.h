/* SPDX-License-Identifier: ISC */
S(smtp_client)
S(smtp_client_matrix)
S(smtp_client_auth)
S(smtp_plan)
