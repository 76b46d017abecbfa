package auditlog

import (
	"testing"

	"github.com/ftp-operator/ftp-operator/test/e2e/load"
)

func TestTransfer(t *testing.T) {
	const head = `time=2026-01-02T03:04:05.678Z level=INFO msg=audit session=12 peer=10.0.0.1:40000 user=alice `
	for line, want := range map[string]*load.Line{
		head + `event=upload result=ok tls=true code=226 verb=STOR type=I path=/a.bin port=30001 bytes=5 duration=1ms rate=5000`:      {Upload: true, Path: "/a.bin", Port: 30001},
		head + `event=download result=ok tls=false code=226 verb=RETR type=I path="/a \"b\" port=1.bin" port=30002 bytes=5`:           {Path: `/a "b" port=1.bin`, Port: 30002},
		head + `event=upload result=failed tls=true code=426 verb=STOR type=I path=/a.bin port=30001 bytes=5 error="aborted by ABOR"`: nil,
		head + `event=upload result=ok tls=true code=226 verb=STOR path=/a.bin bytes=5`:                                               nil,
		head + `event=login result=ok tls=false code=230 access=ReadWrite anonymous=false`:                                            nil,
		`time=2026-01-02T03:04:05.678Z level=INFO msg="event=upload result=ok" session=1 path=/x port=1`:                              nil,
		`panic: something else`: nil,
		``:                      nil,
	} {
		session, got, ok := transfer(line)
		if ok != (want != nil) || ok && (got != *want || session != 12) {
			t.Errorf("%s\n%d %+v %v, want %+v", line, session, got, ok, want)
		}
	}
}
