package load

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// Fetch sends a command that makes the server send data, and discards the data. It fails if fewer than least
// bytes arrive. With TLS the data is not even decrypted.
func (s *Session) Fetch(command string, least int64) error {
	return s.transfer(command, func(conn *socket) error {
		n, err := s.sink(conn, least)
		if err == nil && n < least {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return fmt.Errorf("%d of %d bytes came: %w", n, least, err)
		}
		return nil
	})
}

func (s *Session) sink(conn *socket, least int64) (int64, error) {
	if s.secure == nil {
		return conn.discard(1 << 62)
	}
	over := tls.Client(conn, s.secure)
	if err := over.Handshake(); err != nil {
		return 0, err
	}
	// Some servers wait for the client's end of TLS before they close. So it is sent once everything has been
	// received: when more bytes than the data have come, the end of the last record is on its way.
	n, err := conn.discard(least)
	if err != nil {
		return n, err
	}
	_ = over.CloseWrite()
	rest, err := conn.discard(1 << 62)
	if errors.Is(err, unix.ECONNRESET) {
		err = nil // the server had closed before the client's end of TLS arrived
	}
	return n + rest, err
}

// Read sends a command that makes the server send data, and returns them.
func (s *Session) Read(command string) (data []byte, err error) {
	err = s.transfer(command, func(conn *socket) error {
		if s.secure == nil {
			data, err = io.ReadAll(conn)
			return err
		}
		over := tls.Client(conn, s.secure)
		data, err = io.ReadAll(over)
		_ = over.CloseWrite()
		return err
	})
	return data, err
}

// StoreBytes stores data from memory.
func (s *Session) StoreBytes(name string, data []byte) error {
	return s.transfer("STOR "+name, func(conn *socket) error {
		return s.feed(conn, func(w io.Writer) error {
			_, err := w.Write(data)
			return err
		})
	})
}

// StoreFile stores the first n bytes of a file: from the page cache to the socket, or with TLS through memory.
func (s *Session) StoreFile(name string, f *os.File, n int64) error {
	return s.transfer("STOR "+name, func(conn *socket) error {
		if s.secure == nil {
			return conn.sendFile(f, n)
		}
		return s.feed(conn, func(w io.Writer) error {
			_, err := io.CopyBuffer(struct{ io.Writer }{w}, io.NewSectionReader(f, 0, n), make([]byte, 256<<10))
			return err
		})
	})
}

// feed writes to the data connection, and ends TLS.
func (s *Session) feed(conn *socket, produce func(io.Writer) error) error {
	if s.secure == nil {
		return produce(conn)
	}
	gather := &gathered{socket: conn}
	gather.buf = bufio.NewWriterSize(conn, 256<<10)
	over := tls.Client(gather, s.secure)
	if err := over.Handshake(); err != nil {
		return err
	}
	gather.bulk = true
	if err := produce(over); err != nil {
		return err
	}
	if err := over.CloseWrite(); err != nil {
		return err
	}
	if err := gather.buf.Flush(); err != nil {
		return err
	}
	// Unread session tickets would make the kernel reset the connection when it is closed.
	_ = conn.closeWrite()
	_, err := conn.discard(1 << 62)
	return err
}

// gathered writes many TLS records to the socket at a time once the handshake is over.
type gathered struct {
	*socket
	buf  *bufio.Writer
	bulk bool
}

func (g *gathered) Write(p []byte) (int, error) {
	if g.bulk {
		return g.buf.Write(p)
	}
	return g.socket.Write(p)
}

// transfer runs one transfer command. It moves the data first and reads the replies after that; by then they have
// arrived and take one call.
func (s *Session) transfer(command string, move func(*socket) error) error {
	conn, err := s.data()
	if err != nil {
		return err
	}
	if err := s.send(command); err != nil {
		_ = conn.Close()
		return err
	}
	moved := move(conn)
	_ = conn.Close()
	for range 2 {
		reply, err := s.reply()
		switch {
		case err != nil:
			return errors.Join(moved, err)
		case reply[0] == '1':
			continue
		case reply[0] == '2' && moved == nil:
			return nil
		}
		return errors.Join(moved, fmt.Errorf("%s: %q", command, reply))
	}
	return errors.Join(moved, fmt.Errorf("%s: two preliminary replies", command))
}
