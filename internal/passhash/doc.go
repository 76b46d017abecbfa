// Package passhash makes and checks salted password hashes: argon2id in its PHC text form
// ($argon2id$v=19$m=19456,t=2,p=1$salt$hash), which it also makes, and bcrypt ($2a$, $2b$, $2y$),
// which it only checks; and it sorts what somebody configured as a password. No error of this package holds
// a password or a hash.
package passhash
