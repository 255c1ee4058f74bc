package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Every variable by which a common tool is told of a CA bundle.
var certificateVariables = []string{
	"SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO",
	"CARGO_HTTP_CAINFO", "AWS_CA_BUNDLE", "DENO_CERT",
}

// What BuildKit adds to every exec for its own tracing: different each time, and it makes instrumented programs report to
// a socket of the daemon.
const buildkitTracing = "unix:///dev/otel-grpc.sock"

var tracingVariables = []string{
	"OTEL_TRACES_EXPORTER", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "TRACEPARENT",
	"TRACESTATE",
}

// prepareEnvironment adds trust, proxy and secret variables to the shim's own environment, which the command inherits,
// and takes BuildKit's tracing out.
func prepareEnvironment(parsed options) error {
	if os.Getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") == buildkitTracing {
		for _, name := range tracingVariables {
			os.Unsetenv(name)
		}
	}
	bundle := filepath.Join(parsed.trust, "ca.pem")
	if _, err := os.Stat(bundle); err == nil {
		for _, name := range certificateVariables {
			setUnlessSet(name, bundle)
		}
	}
	if content, err := os.ReadFile(filepath.Join(parsed.trust, "env")); err == nil {
		for _, line := range strings.Split(string(content), "\n") {
			if name, value, found := strings.Cut(line, "="); found && name != "" {
				setUnlessSet(strings.ToUpper(name), value)
				setUnlessSet(strings.ToLower(name), value)
			}
		}
	}
	for _, entry := range parsed.secretEnv {
		name, path, _ := strings.Cut(entry, "=")
		content, err := os.ReadFile(path)
		if err != nil {
			return fmt.Errorf("secret for variable %s: %w", name, err)
		}
		if err := os.Setenv(name, string(content)); err != nil {
			return fmt.Errorf("secret for variable %s: %w", name, err)
		}
	}
	return nil
}

func setUnlessSet(name, value string) {
	if _, found := os.LookupEnv(name); !found {
		os.Setenv(name, value)
	}
}
