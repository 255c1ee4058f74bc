package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"syscall"
)

// Exit code of `shim service` when another program holds a port of the service: only where containers share a network.
const portTaken = 98

// runService runs a service's command as the first process of its container. Unlike an exec it records nothing: it may
// run for days, and its streams go out live.
func runService(arguments []string) (int, error) {
	var ports []string
	for len(arguments) > 1 && arguments[0] == "--port" {
		ports, arguments = append(ports, arguments[1]), arguments[2:]
	}
	parsed, err := parseArguments(arguments)
	if err != nil {
		return 0, err
	}
	if err := prepareEnvironment(parsed); err != nil {
		return 0, err
	}
	for _, port := range ports {
		listener, err := net.Listen("tcp", ":"+port)
		if errors.Is(err, syscall.EADDRINUSE) {
			fmt.Fprintf(os.Stderr, "port %s is in use\n", port)
			return portTaken, nil
		}
		if err == nil {
			listener.Close()
		}
	}
	executable, err := exec.LookPath(parsed.command[0])
	if err != nil && !errors.Is(err, exec.ErrDot) {
		return refuseService(parsed.command[0], err), nil
	}
	stdin, err := os.Open(os.DevNull)
	if err != nil {
		return 0, err
	}
	signals := make(chan os.Signal, 32)
	signal.Notify(signals)
	process, err := os.StartProcess(executable, parsed.command, &os.ProcAttr{
		Env:   os.Environ(),
		Files: []*os.File{stdin, os.Stdout, os.Stderr},
	})
	if err != nil {
		return refuseService(parsed.command[0], err), nil
	}
	go forward(signals, process.Pid)
	return wait(process.Pid, parsed.noInit), nil
}

func refuseService(command string, err error) int {
	fmt.Fprintf(os.Stderr, "%s: %v\n", command, err)
	if errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist) {
		return 127
	}
	return 126
}

// ownAddress is where others reach this container: its first address, or loopback where it shares the host's network.
func ownAddress(loopback bool) (string, error) {
	if loopback {
		return "127.0.0.1", nil
	}
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return "", err
	}
	for _, address := range addresses {
		if network, ok := address.(*net.IPNet); ok && network.IP.To4() != nil && !network.IP.IsLoopback() {
			return network.IP.String(), nil
		}
	}
	return "127.0.0.1", nil
}

func validPort(text string) error {
	port, err := strconv.Atoi(text)
	if err != nil || port < 1 || port > 65535 {
		return fmt.Errorf("%q is not a port", text)
	}
	return nil
}
