package main

import (
	"encoding/json"
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

// serviceArguments stand before the `--` or the ports of a service.
type serviceArguments struct {
	// Must be free, where containers share a network.
	ports  []string
	report string
	// Name of the socket on which it is asked while somebody works on it; see live.go.
	control string
	health  health
	rest    []string
}

func parseService(arguments []string) (serviceArguments, error) {
	parsed := serviceArguments{rest: arguments}
	for len(parsed.rest) > 0 {
		if parsed.rest[0] == "--loopback" {
			parsed.health.loopback, parsed.rest = true, parsed.rest[1:]
			continue
		}
		if len(parsed.rest) < 2 {
			return parsed, nil
		}
		flag, value := parsed.rest[0], parsed.rest[1]
		switch flag {
		case "--port":
			parsed.ports = append(parsed.ports, value)
		case "--report":
			parsed.report = value
		case "--control":
			parsed.control = value
		case "--probe":
			if err := validPort(value); err != nil {
				return parsed, err
			}
			parsed.health.ports = append(parsed.health.ports, value)
		case "--check":
			parsed.health.check = &healthCheck{}
			if err := json.Unmarshal([]byte(value), parsed.health.check); err != nil {
				return parsed, fmt.Errorf("--check: %w", err)
			}
		default:
			return parsed, nil
		}
		parsed.rest = parsed.rest[2:]
	}
	return parsed, nil
}

// runService runs a service's command as the first process of its container, and tells on the socket `--report` where it
// is, when it is healthy and how it ended. Unlike an exec it records nothing: it may run for days, and its streams go out
// live.
//
//	shim service [--port N]... [--loopback] [--report SOCKET] [--control NAME] [--probe N]... [--check JSON] [--no-init] -- cmd args...
func runService(arguments []string) (int, error) {
	service, err := parseService(arguments)
	if err != nil {
		return 0, err
	}
	parsed, err := parseArguments(service.rest)
	if err != nil {
		return 0, err
	}
	if err := prepareEnvironment(parsed); err != nil {
		return 0, err
	}
	reporter, err := openReporter(service.report)
	if err != nil {
		return 0, err
	}
	exitCode := service.run(parsed, reporter)
	reporter.end(exitCode)
	return exitCode, nil
}

func (service serviceArguments) run(parsed options, reporter *reporter) int {
	for _, port := range service.ports {
		listener, err := net.Listen("tcp", ":"+port)
		if errors.Is(err, syscall.EADDRINUSE) {
			fmt.Fprintf(os.Stderr, "port %s is in use\n", port)
			return portTaken
		}
		if err == nil {
			listener.Close()
		}
	}
	executable, err := exec.LookPath(parsed.command[0])
	if err != nil && !errors.Is(err, exec.ErrDot) {
		return refuseService(parsed.command[0], err)
	}
	if service.control != "" {
		return service.runLive(executable, parsed, reporter)
	}
	stdin, err := os.Open(os.DevNull)
	if err != nil {
		return refuseService(os.DevNull, err)
	}
	signals := make(chan os.Signal, 32)
	signal.Notify(signals)
	process, err := os.StartProcess(executable, parsed.command, &os.ProcAttr{
		Env:   os.Environ(),
		Files: []*os.File{stdin, os.Stdout, os.Stderr},
	})
	if err != nil {
		return refuseService(parsed.command[0], err)
	}
	go forward(signals, process.Pid)
	reaper := newReaper(parsed.noInit)
	go service.health.follow(reporter, reaper)
	return reaper.wait(process.Pid)
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
