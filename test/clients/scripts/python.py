"""Python's ftplib, with data connections that resume the control connection's session.
scripts_test.go sets the environment; exit 0: all is right."""
import filecmp, ftplib, os, ssl, sys, threading

env = os.environ
there = env["FTP_ROOT"] + "/" + env["FTP_DIR"]
tls = env["FTP_TLS"] != "plain"
failed = 0


def check(what, good):
    global failed
    failed += not good
    print(("ok   " if good else "FAIL ") + what)


def same(a, b):
    return os.path.exists(a) and filecmp.cmp(a, b, False)


class Reusing(ftplib.FTP_TLS):
    def ntransfercmd(self, cmd, rest=None):
        conn, size = ftplib.FTP.ntransfercmd(self, cmd, rest)
        return self.context.wrap_socket(conn, server_hostname=self.host, session=self.sock.session), size


def connect():
    if tls:
        context = ssl.create_default_context(cafile=env["FTP_CA"])
        context.minimum_version = context.maximum_version = {
            "1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}[env["FTP_VERSION"]]
        f = Reusing(context=context, encoding="utf-8")
    else:
        f = ftplib.FTP(encoding="utf-8")
    f.connect(env["FTP_HOST"], int(env["FTP_PORT"]), timeout=20)
    f.login("alice", "secret")
    if tls:
        f.prot_p()
    f.cwd("/" + env["FTP_DIR"])
    return f


f = connect()
names = ["empty", "a file", "Grüße", "quo\"te's"]
for n in names:
    with open(n, "rb") as i:
        f.storbinary("STOR " + n, i)
    check("put " + n, same(f"{there}/{n}", n))
    with open("got", "wb") as o:
        f.retrbinary("RETR " + n, o.write)
    check("get " + n, same("got", n))
check("nlst", sorted(f.nlst()) == sorted(names))
check("mlsd", sorted(n for n, facts in f.mlsd() if facts["type"] == "file") == sorted(names))
f.voidcmd("TYPE I")
check("size", f.size("a file") == os.path.getsize("a file"))
check("mkd", f.mkd('a "q"') == f"/{env['FTP_DIR']}/a \"q\"")
f.rmd('a "q"')
f.rename("a file", "b")
check("rename", os.path.exists(f"{there}/b"))
f.delete("b")
check("delete", not os.path.exists(f"{there}/b"))
with open("large", "rb") as i:
    f.storbinary("STOR large", i)
check("put large", same(f"{there}/large", "large"))
with open("large", "rb") as i, open("part", "wb") as o:
    o.write(i.read(1000001))
    f.retrbinary("RETR large", o.write, rest=1000001)
check("resumed get", same("part", "large"))
os.truncate(f"{there}/large", 1000001)
with open("large", "rb") as i:
    i.seek(1000001)
    f.storbinary("STOR large", i, rest=1000001)
check("resumed put", same(f"{there}/large", "large"))
conn = f.transfercmd("RETR large")
conn.recv(10000)
reply = f.abort()
conn.close()
check("abort", reply[:3] in ("426", "226"))
if reply[:3] == "426":
    f.voidresp()
check("nlst after that", len(f.nlst()) == len(names))


def one(i):
    g = connect()
    with open(f"got{i}", "wb") as o:
        g.retrbinary("RETR large", o.write)
    g.quit()


threads = [threading.Thread(target=one, args=(i,)) for i in range(3)]
for t in threads:
    t.start()
for t in threads:
    t.join()
check("three at once", all(same(f"got{i}", "large") for i in range(3)))
f.quit()
sys.exit(failed > 0)
