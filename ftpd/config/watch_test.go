package config

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// watched runs Watch on a file in a synctest bubble, which has its own clock. It returns a function that lets several
// intervals pass and returns what was reported in them.
func watched(t *testing.T, file string) (next func() []string) {
	t.Helper()
	const every = time.Second
	ctx, cancel := context.WithCancel(t.Context())
	seen := make(chan string, 100)
	ended := make(chan error)
	go func() {
		ended <- Watch(ctx, file, every, nil, func(data []byte) error { seen <- string(data); return nil })
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("Watch returned %v", err)
		}
	})
	return func() []string {
		<-time.After(5 * every) // of the bubble's clock
		synctest.Wait()
		var got []string
		for len(seen) > 0 {
			got = append(got, <-seen)
		}
		return got
	}
}

func expect(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: reported %q, want %q", what, got, want)
	}
}

func write(t *testing.T, file, content string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestWatchPlainFile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "f")
		next := watched(t, file)
		expect(t, "missing", next())
		write(t, file, "")
		expect(t, "empty", next())
		write(t, file, "one")
		expect(t, "first", next(), "one")
		write(t, file, "one")
		expect(t, "written again", next())
		write(t, file, "two")
		expect(t, "changed", next(), "two")
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
		expect(t, "removed", next())
		write(t, file, "two")
		expect(t, "back as it was", next())
		write(t, file, " \n")
		expect(t, "emptied", next())
		write(t, file, "one")
		expect(t, "changed", next(), "one")
		if err := errors.Join(os.Remove(file), os.Mkdir(file, 0o700)); err != nil {
			t.Fatal(err)
		}
		expect(t, "a directory", next())
	})
}

// The kubelet writes a new directory and swaps the link ..data to it; the file is a link through that.
func TestWatchKubeletVolume(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		volume := t.TempDir()
		swap := func(name, content string) {
			t.Helper()
			link := filepath.Join(volume, "..data_tmp")
			if err := os.Mkdir(filepath.Join(volume, name), 0o700); err != nil {
				t.Fatal(err)
			}
			write(t, filepath.Join(volume, name, "ftpd.yaml"), content)
			if err := errors.Join(os.Symlink(name, link), os.Rename(link, filepath.Join(volume, "..data"))); err != nil {
				t.Fatal(err)
			}
		}
		file := filepath.Join(volume, "ftpd.yaml")
		if err := os.Symlink("..data/ftpd.yaml", file); err != nil {
			t.Fatal(err)
		}
		next := watched(t, file)
		expect(t, "nothing there", next())
		swap("..1", "one")
		expect(t, "first", next(), "one")
		swap("..2", "two")
		if err := os.RemoveAll(filepath.Join(volume, "..1")); err != nil {
			t.Fatal(err)
		}
		expect(t, "swapped", next(), "two")
		swap("..3", "two")
		expect(t, "swapped for the same", next())
	})
}

// A file that grows must be reported when it has stopped growing, and never half-written.
func TestWatchHalfWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "f")
		write(t, file, "users: [a, b, c]\n")
		next := watched(t, file)
		expect(t, "first", next(), "users: [a, b, c]\n")
		content := ""
		for range 200 { // longer than several intervals, in steps shorter than the pause
			content += "- user\n"
			write(t, file, content)
			<-time.After(maxSettle / 3) // of the bubble's clock
		}
		expect(t, "in the end", next(), content)
	})
}

func TestWatchEndsWhileSettling(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "f")
		write(t, file, "one")
		ctx, cancel := context.WithTimeout(t.Context(), maxSettle/2)
		defer cancel()
		err := Watch(ctx, file, time.Second, nil, func([]byte) error { t.Error("reported"); return nil })
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Watch returned %v", err)
		}
	})
}

func TestWatchRefusesNoInterval(t *testing.T) {
	if err := Watch(t.Context(), "f", 0, nil, nil); err == nil {
		t.Error("Watch took an interval of zero")
	}
}

// Watch must also know the content that was read because of a request between two intervals: if a file has content A,
// then B for a moment, and A again, the last report must be A.
func TestWatchAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "f")
		write(t, file, "A")
		now := make(chan struct{}, 1)
		var serving []string
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() {
			ended <- Watch(ctx, file, time.Hour, now, func(data []byte) error {
				serving = append(serving, string(data))
				return nil
			})
		}()
		time.Sleep(time.Minute)
		write(t, file, "B")
		now <- struct{}{}
		synctest.Wait()
		write(t, file, "A")
		time.Sleep(2 * time.Hour)
		now <- struct{}{} // the same content is offered again: what it refers to may have changed
		synctest.Wait()
		cancel()
		<-ended
		expect(t, "in all", serving, "A", "B", "A", "A")
	})
}

// Refused content must be offered again, soon and then less and less often, until it is accepted or has changed.
func TestWatchRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "f")
		write(t, file, "lacks something")
		began := time.Now()
		var offered []string
		lacking := errors.New("it lacks something")
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() {
			ended <- Watch(ctx, file, time.Second, nil, func(data []byte) error {
				offered = append(offered, string(data)+" "+time.Since(began).Truncate(time.Second).String())
				if string(data) == "right" || time.Since(began) > time.Minute {
					return nil
				}
				return lacking
			})
		}()
		time.Sleep(30*time.Second + 200*time.Millisecond)
		synctest.Wait()
		expect(t, "refused", offered, "lacks something 0s", "lacks something 2s", "lacks something 4s", "lacks something 8s", "lacks something 16s", "lacks something 26s")
		offered = nil
		write(t, file, "right")
		time.Sleep(30*time.Second + 200*time.Millisecond)
		synctest.Wait()
		expect(t, "changed", offered, "right 31s")
		offered = nil
		write(t, file, "lacks something")
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		expect(t, "taken in the end", offered, "lacks something 1m1s")
		cancel()
		<-ended
	})
}
