// Package passhash makes and verifies salted password hashes. It makes argon2id hashes in PHC text form
// ($argon2id$v=19$m=19456,t=2,p=1$salt$hash), and verifies these and bcrypt hashes ($2a$, $2b$, $2y$). It also
// decides whether a configured text is a password or a hash. No error of this package contains a password or a hash.
//
// Begin reading at Hash, Cache and Configured. Of this module the package imports only internal/keyed.
package passhash
