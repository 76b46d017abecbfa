package ftpd_test

import (
	"testing"

	"github.com/ftp-operator/ftp-operator/ftpd/config"
	"github.com/ftp-operator/ftp-operator/ftpd/ftptest"
)

// Each right must allow its commands and no others.
func TestListedRights(t *testing.T) {
	t.Parallel()
	const refused = "550"
	type replies struct{ list, read, create, overwrite, resume, add, addNew, del, rename, replace, mkdir, chmod string }
	nothing := replies{refused, refused, refused, refused, refused, refused, refused, refused, refused, refused, refused, refused}
	with := func(change func(*replies)) replies {
		r := nothing
		change(&r)
		return r
	}
	for name, x := range map[string]struct {
		rights []config.Right
		want   replies
	}{
		"all":    {config.AllRights, replies{"226", "226", "226", "226", "226", "226", "226", "250", "250", "250", "257", "200"}},
		"list":   {[]config.Right{config.RightList}, with(func(r *replies) { r.list = "226" })},
		"read":   {[]config.Right{config.RightRead}, with(func(r *replies) { r.read = "226" })},
		"create": {[]config.Right{config.RightCreate}, with(func(r *replies) { r.create = "226" })},
		"write": {[]config.Right{config.RightWrite}, with(func(r *replies) {
			r.create, r.overwrite, r.resume, r.add, r.addNew, r.chmod = "226", "226", "226", "226", "226", "200"
		})},
		"append":           {[]config.Right{config.RightAppend}, with(func(r *replies) { r.add = "226" })},
		"append or create": {[]config.Right{config.RightAppend, config.RightCreate}, with(func(r *replies) { r.create, r.add, r.addNew = "226", "226", "226" })},
		"delete":           {[]config.Right{config.RightDelete}, with(func(r *replies) { r.del = "250" })},
		"rename":           {[]config.Right{config.RightRename}, with(func(r *replies) { r.rename = "250" })},
		"rename and write": {[]config.Right{config.RightRename, config.RightWrite}, replies{refused, refused, "226", "226", "226", "226", "226", refused, "250", "250", refused, "200"}},
		"mkdir":            {[]config.Right{config.RightMkdir}, with(func(r *replies) { r.mkdir = "257" })},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := ftptest.Start(t, func(c *config.Config) { c.Users[0].Rights = x.rights })
			for _, file := range []string{"read", "overwrite", "resume", "add", "del", "rename", "replace", "taken", "chmod"} {
				s.Write(t, file, "old")
			}
			c := ftptest.Login(t, s.Addr, "alice")
			transfer := func(command string) string {
				data := c.Data()
				reply := c.Do(command)[:3]
				_ = data.Close()
				if reply == "150" {
					reply = c.Reply()[:3]
				}
				return reply
			}
			rename := func(from, to string) string {
				if reply := c.Do("RNFR " + from)[:3]; reply != "350" {
					return reply
				}
				return c.Do("RNTO " + to)[:3]
			}
			got := replies{
				list: transfer("MLSD"), read: transfer("RETR read"), create: transfer("STOR create"), overwrite: transfer("STOR overwrite"),
				add: transfer("APPE add"), addNew: transfer("APPE add-new"), del: c.Do("DELE del")[:3], rename: rename("rename", "free"),
				replace: rename("replace", "taken"), mkdir: c.Do("MKD mkdir")[:3], chmod: c.Do("SITE CHMOD 600 chmod")[:3],
			}
			c.Must("REST 1", "350")
			got.resume = transfer("STOR resume")
			if got != x.want {
				t.Errorf("got  %+v\nwant %+v", got, x.want)
			}
		})
	}
}

// A change of rights must apply to the next command.
func TestRightsReload(t *testing.T) {
	t.Parallel()
	s := ftptest.Start(t)
	c := ftptest.Login(t, s.Addr, "alice")
	c.Must("MKD a", "257")
	if err := s.Edit(t, func(c *config.Config) { c.Users[0].Rights = []config.Right{config.RightList, config.RightRead} }); err != nil {
		t.Fatal(err)
	}
	c.Talk(`
		C: MKD b
		S: 550 Permission denied: your access is List, Read.
		C: MLST a
		S: 250-*
		S:  type=dir;*perm=el;*
		S: 250 *`)
}
