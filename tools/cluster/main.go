// A Kubernetes cluster for tests, in one program: etcd, kube-apiserver, the controllers that a rollout needs, and a node
// that plays its pods.
package main

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/signal"
	"syscall"

	"go.etcd.io/etcd/server/v3/embed"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"

	"fastloop/cluster/controllers"
	"fastloop/cluster/node"
	"fastloop/cluster/pki"
)

const usage = "usage: cluster pki DIR | etcd DIR URL | kube-apiserver FLAGS | controllers KUBECONFIG"

func etcd(dir, address string) error {
	config := embed.NewConfig()
	config.Dir = dir
	client, err := url.Parse(address)
	if err != nil {
		return err
	}
	peer, err := url.Parse("http://127.0.0.1:0")
	if err != nil {
		return err
	}
	config.ListenClientUrls = []url.URL{*client}
	config.AdvertiseClientUrls = []url.URL{*client}
	config.ListenPeerUrls = []url.URL{*peer}
	// A test's data need not survive the machine.
	config.UnsafeNoFsync = true
	config.LogLevel = "warn"
	server, err := embed.StartEtcd(config)
	if err != nil {
		return err
	}
	defer server.Close()
	<-server.Server.ReadyNotify()
	fmt.Println("etcd ready")
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	select {
	case <-signals:
		return nil
	case err := <-server.Err():
		return err
	}
}

func die(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, usage)
		os.Exit(2)
	}
	name, args := os.Args[1], os.Args[2:]
	// The commands of the API server's library read the process's own arguments.
	os.Args = append([]string{name}, args...)
	switch {
	case name == "pki" && len(args) == 1:
		die(pki.Write(args[0]))
	case name == "etcd" && len(args) == 2:
		die(etcd(args[0], args[1]))
	case name == "controllers" && len(args) == 1:
		die(controllers.Run(context.Background(), args[0]))
		die(node.Run(args[0]))
	case name == "kube-apiserver":
		os.Exit(cli.Run(apiserver.NewAPIServerCommand()))
	default:
		fmt.Fprintln(os.Stderr, usage)
		os.Exit(2)
	}
}
