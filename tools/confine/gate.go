package main

import (
	"context"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"time"
)

// Networks that are not the internet: private ones, this machine itself, many at once. RFC 6890 and its successors.
var closed = prefixes(
	"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.88.99.0/24",
	"192.168.0.0/16", "198.18.0.0/15", "224.0.0.0/3",
)

// Of IPv6 the other way round: global unicast alone is open, less what carries another address in it.
var (
	openIPv6   = prefixes("2000::/3")
	closedIPv6 = prefixes("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
	// Translated to IPv4 on the way.
	translated = netip.MustParsePrefix("64:ff9b::/96")
)

// gate knows what the program may connect to.
type gate struct {
	mutex sync.Mutex
	open  map[netip.AddrPort]bool
	// HOST:PORT, looked up when something closed is asked for: names of proxies move.
	named []string
}

func newGate(named []string) *gate { return &gate{open: map[netip.AddrPort]bool{}, named: named} }

// allow opens one address: the session's.
func (gate *gate) allow(address string) {
	if parsed, err := netip.ParseAddrPort(address); err == nil {
		gate.mutex.Lock()
		defer gate.mutex.Unlock()
		gate.open[parsed] = true
	}
}

func (gate *gate) lets(target netip.AddrPort) bool {
	gate.mutex.Lock()
	open := gate.open[target]
	gate.mutex.Unlock()
	return open || (isInternet(target.Addr()) && !isNear(target.Addr())) || gate.isNamed(target)
}

func isInternet(address netip.Addr) bool {
	if address.Is4() {
		return !within(closed, address)
	}
	if translated.Contains(address) {
		bytes := address.As16()
		return isInternet(netip.AddrFrom4([4]byte(bytes[12:])))
	}
	return within(openIPv6, address) && !within(closedIPv6, address)
}

// isNear tells whether an address is one of this machine or on a network that it is directly on.
func isNear(address netip.Addr) bool {
	interfaces, err := net.InterfaceAddrs()
	if err != nil {
		return true
	}
	for _, own := range interfaces {
		prefix, err := netip.ParsePrefix(own.String())
		if err == nil && prefix.Bits() > 0 && prefix.Masked().Contains(address) {
			return true
		}
	}
	return false
}

func (gate *gate) isNamed(target netip.AddrPort) bool {
	for _, name := range gate.named {
		host, port, err := net.SplitHostPort(name)
		if err != nil || port != strconv.Itoa(int(target.Port())) {
			continue
		}
		limit, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		addresses, _ := net.DefaultResolver.LookupNetIP(limit, "ip", host)
		cancel()
		for _, address := range addresses {
			if address.Unmap() == target.Addr() {
				return true
			}
		}
	}
	return false
}

func within(networks []netip.Prefix, address netip.Addr) bool {
	for _, network := range networks {
		if network.Contains(address) {
			return true
		}
	}
	return false
}

func prefixes(texts ...string) []netip.Prefix {
	parsed := make([]netip.Prefix, len(texts))
	for index, text := range texts {
		parsed[index] = netip.MustParsePrefix(text)
	}
	return parsed
}
