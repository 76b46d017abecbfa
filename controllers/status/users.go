package status

import (
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
)

// These are the reasons of the UsersReady condition.
const (
	ReasonUsersReady      = "UsersReady"
	ReasonNoUsers         = "NoUsers"
	ReasonPasswordMissing = "PasswordMissing"
	ReasonPasswordInvalid = "PasswordInvalid"
	ReasonHashing         = "HashingPasswords"
)

// usersReady is True if the password of every user was found and is in use. Users without one are left out; the
// others can log in.
func usersReady(o Observed) metav1.Condition {
	const kind = v1alpha1.ConditionUsersReady
	if n := len(o.Users.Problems); n > 0 {
		first := o.Users.Problems[0]
		reason, message := ReasonPasswordInvalid, first.Message
		if first.Missing {
			reason = ReasonPasswordMissing
		}
		if n > 1 {
			var others []string
			for _, p := range o.Users.Problems[1:] {
				others = append(others, p.User)
			}
			message += fmt.Sprintf("; likewise left out: %s", list(others))
		}
		return condition(kind, metav1.ConditionFalse, reason, message)
	}
	switch {
	case len(o.Users.Hashing) > 0:
		return condition(kind, metav1.ConditionUnknown, ReasonHashing, fmt.Sprintf("%s can log in; passwords being hashed: %s",
			plural(len(o.Users.Ready), "user"), list(o.Users.Hashing)))
	case len(o.Users.Ready) > 0:
		message := plural(len(o.Users.Ready), "user") + " can log in"
		if n := len(o.Users.Replacing); n > 0 {
			message += "; " + o.Users.Replacing[0].Message
			if n > 1 {
				message += fmt.Sprintf("; likewise for %s", plural(n-1, "other user"))
			}
		}
		return condition(kind, metav1.ConditionTrue, ReasonUsersReady, message)
	case o.Users.Anonymous:
		return condition(kind, metav1.ConditionTrue, ReasonUsersReady, "anonymous login only")
	}
	return condition(kind, metav1.ConditionFalse, ReasonNoUsers,
		"nobody can log in: add users to spec.users or set spec.anonymous.enabled")
}
