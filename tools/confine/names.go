package main

import (
	"net"
	"net/netip"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const (
	resolverFile = "/etc/resolv.conf"
	namesTimeout = 10 * time.Second
	// What a datagram of names may have.
	longestMessage = 65_535
	// Questions that are being asked; more are dropped, as a busy server does.
	mostQuestions = 64
)

// Where the program asks for names.
var nameServer = netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), 53)

// relay hands questions for names to the machine's resolver, wherever that is, and its answers back.
func relay(inside int) {
	message := make([]byte, longestMessage)
	free := make(chan struct{}, mostQuestions)
	for {
		count, from, err := unix.Recvfrom(inside, message, 0)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return
		}
		select {
		case free <- struct{}{}:
			go func(question []byte) {
				defer func() { <-free }()
				if answer := ask(question); answer != nil {
					_ = unix.Sendto(inside, answer, 0, from)
				}
			}(append([]byte{}, message[:count]...))
		default:
		}
	}
}

func ask(question []byte) []byte {
	server, ok := resolverAddress()
	if !ok {
		return nil
	}
	connection, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(server))
	if err != nil {
		return nil
	}
	defer connection.Close()
	_ = connection.SetDeadline(time.Now().Add(namesTimeout))
	if _, err := connection.Write(question); err != nil {
		return nil
	}
	answer := make([]byte, longestMessage)
	count, err := connection.Read(answer)
	if err != nil {
		return nil
	}
	return answer[:count]
}

// resolverAddress is read each time: laptops change their networks.
func resolverAddress() (netip.AddrPort, bool) {
	for _, fields := range resolverLines(resolverFile) {
		if fields[0] != "nameserver" {
			continue
		}
		if address, err := netip.ParseAddr(fields[1]); err == nil {
			return netip.AddrPortFrom(address.Unmap(), 53), true
		}
	}
	return netip.AddrPort{}, false
}

// searchLines are those that say how names are made whole.
func searchLines(file string) string {
	text := ""
	for _, fields := range resolverLines(file) {
		if fields[0] == "search" || fields[0] == "domain" || fields[0] == "options" {
			text += strings.Join(fields, " ") + "\n"
		}
	}
	return text
}

func resolverLines(file string) [][]string {
	content, err := os.ReadFile(file)
	if err != nil {
		return nil
	}
	var lines [][]string
	for _, line := range strings.Split(string(content), "\n") {
		if fields := strings.Fields(line); len(fields) >= 2 {
			lines = append(lines, fields)
		}
	}
	return lines
}
