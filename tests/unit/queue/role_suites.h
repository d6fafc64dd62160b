/* SPDX-License-Identifier: ISC */
S(schedule)
S(deliver)
S(bounce)
S(admin)
S(intake)
S(room)
S(suspect)
S(loops)
