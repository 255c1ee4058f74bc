package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

// Connections that wait for the host; one more is opened as soon as one is taken.
const waitingConnections = 4

// For what was sent to an end that takes no more.
const drainTime = 5 * time.Second

// listen takes connections on ports of this container and hands each to the unix socket of its port: a service of the host
// as seen by containers. It is the first process of its container.
//
//	shim listen [--loopback] [--report SOCKET] PORT=SOCKET...
func listen(arguments []string) (int, error) {
	service, err := parseService(arguments)
	if err != nil {
		return 0, err
	}
	reporter, err := openReporter(service.report)
	if err != nil {
		return 0, err
	}
	failed := make(chan error, len(service.rest))
	for _, argument := range service.rest {
		port, socket, _ := strings.Cut(argument, "=")
		listener, err := net.Listen("tcp", ":"+port)
		if errors.Is(err, syscall.EADDRINUSE) {
			fmt.Fprintf(os.Stderr, "port %s is in use\n", port)
			return portTaken, nil
		}
		if err != nil {
			return 0, err
		}
		go func() { failed <- accept(listener, socket) }()
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	go service.health.follow(reporter, newReaper(true))
	select {
	case err := <-failed:
		return 0, err
	case <-signals:
		return 0, nil
	}
}

func accept(listener net.Listener, socket string) error {
	for {
		connection, err := listener.Accept()
		if err != nil {
			return err
		}
		go func() {
			target, err := net.Dial("unix", socket)
			if err != nil {
				connection.Close()
				return
			}
			join(connection, target)
		}()
	}
}

// offer lets the host connect to ports of this container: it keeps connections to a unix socket open; the host takes one
// by writing a port and a newline on it, and from then on it is a connection to that port.
//
//	shim offer [--loopback] SOCKET
func offer(arguments []string) (int, error) {
	loopback, rest := takeLoopback(arguments)
	if len(rest) != 1 {
		return 0, errors.New("offer needs a socket")
	}
	address, err := ownAddress(loopback)
	if err != nil {
		return 0, err
	}
	failed := make(chan error, waitingConnections)
	for index := 0; index < waitingConnections; index++ {
		go func() {
			for {
				if err := offerOne(rest[0], address); err != nil {
					failed <- err
					return
				}
			}
		}()
	}
	return 0, <-failed
}

// offerOne returns when the connection was taken.
func offerOne(socket, address string) error {
	connection, err := net.Dial("unix", socket)
	if err != nil {
		return err
	}
	reader := bufio.NewReader(connection)
	line, err := reader.ReadString('\n')
	if err != nil {
		connection.Close()
		return fmt.Errorf("the host has left: %w", err)
	}
	go func() {
		taken := &buffered{connection.(*net.UnixConn), reader}
		target, err := net.DialTimeout("tcp", net.JoinHostPort(address, strings.TrimSpace(line)), 5*time.Second)
		if err != nil {
			_ = taken.CloseWrite()
			drain(taken)
			taken.Close()
			return
		}
		join(taken, target)
	}()
	return nil
}

// buffered reads what was read ahead of the port's line first.
type buffered struct {
	*net.UnixConn
	reader io.Reader
}

func (connection *buffered) Read(buffer []byte) (int, error) { return connection.reader.Read(buffer) }

type halfCloser interface{ CloseWrite() error }

// join copies both ways until both are done, and passes on the end of each.
func join(one, other net.Conn) {
	done := make(chan struct{}, 2)
	pass := func(to, from net.Conn) {
		// Plain reads and writes: the shortcuts of io.Copy between sockets would go round the buffer.
		_, err := io.Copy(struct{ io.Writer }{to}, struct{ io.Reader }{from})
		if err != nil {
			drain(from)
		}
		if half, ok := to.(halfCloser); ok {
			_ = half.CloseWrite()
		}
		done <- struct{}{}
	}
	go pass(one, other)
	go pass(other, one)
	<-done
	<-done
	one.Close()
	other.Close()
}

// drain reads what is still on its way, for a moment: a close before that resets the connection, and of a reset BuildKit's
// forwarding tells the host nothing, which would wait for an answer for ever.
func drain(from net.Conn) {
	_ = from.SetReadDeadline(time.Now().Add(drainTime))
	_, _ = io.Copy(io.Discard, struct{ io.Reader }{from})
}

func takeLoopback(arguments []string) (bool, []string) {
	if len(arguments) > 0 && arguments[0] == "--loopback" {
		return true, arguments[1:]
	}
	return false, arguments
}
