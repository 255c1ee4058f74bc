// Command buildkitd is BuildKit's daemon with the parts that fastloop's embedded engine uses: the runc worker, both
// frontends, and caches in a registry, in a folder and inline. BuildKit's own main also links the SDKs of three clouds,
// Sigstore, the containerd worker, lazy snapshotters and exporters of traces: a third of all packages, and of the time
// that set-up takes to compile. It reads the same buildkitd.toml; what it does not know of that file it ignores.
//
// It follows cmd/buildkitd of the pinned version: compare the two when tools/go.mod moves.
package main

import (
	"context"
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/containerd/containerd/v2/core/remotes/docker"
	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/containerd/v2/defaults"
	"github.com/containerd/containerd/v2/pkg/sys"
	"github.com/containerd/containerd/v2/plugins/snapshots/native"
	"github.com/containerd/containerd/v2/plugins/snapshots/overlay"
	"github.com/containerd/containerd/v2/plugins/snapshots/overlay/overlayutils"
	"github.com/gofrs/flock"
	"github.com/moby/buildkit/cache/remotecache"
	inlinecache "github.com/moby/buildkit/cache/remotecache/inline"
	localcache "github.com/moby/buildkit/cache/remotecache/local"
	registrycache "github.com/moby/buildkit/cache/remotecache/registry"
	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/cmd/buildkitd/config"
	"github.com/moby/buildkit/control"
	"github.com/moby/buildkit/executor/oci"
	"github.com/moby/buildkit/frontend"
	dockerfile "github.com/moby/buildkit/frontend/dockerfile/builder"
	"github.com/moby/buildkit/frontend/gateway"
	"github.com/moby/buildkit/frontend/gateway/forwarder"
	"github.com/moby/buildkit/session"
	"github.com/moby/buildkit/solver"
	"github.com/moby/buildkit/solver/bboltcachestorage"
	"github.com/moby/buildkit/util/apicaps"
	"github.com/moby/buildkit/util/bklog"
	"github.com/moby/buildkit/util/db/boltutil"
	"github.com/moby/buildkit/util/disk"
	"github.com/moby/buildkit/util/grpcerrors"
	_ "github.com/moby/buildkit/util/grpcutil/encoding/proto"
	"github.com/moby/buildkit/util/network/cniprovider"
	"github.com/moby/buildkit/util/network/netproviders"
	"github.com/moby/buildkit/util/resolver"
	"github.com/moby/buildkit/util/stack"
	"github.com/moby/buildkit/version"
	"github.com/moby/buildkit/worker"
	"github.com/moby/buildkit/worker/base"
	"github.com/moby/buildkit/worker/runc"
	"github.com/sirupsen/logrus"
	fscopy "github.com/tonistiigi/fsutil/copy"
	bolt "go.etcd.io/bbolt"
	"go.opentelemetry.io/otel/metric/noop"
	"golang.org/x/sync/semaphore"
	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
)

func init() {
	apicaps.ExportedProduct = "buildkit"
	stack.SetVersionInfo(version.Version, version.Revision)
	// Modes of copied files are those that are asked for.
	syscall.Umask(0)
	fscopy.UmaskIsZero = true
}

func main() {
	file := flag.String("config", "", "path of buildkitd.toml")
	showVersion := flag.Bool("version", false, "print the version and end")
	flag.Parse()
	if *showVersion {
		// The words of BuildKit's own daemon.
		fmt.Println("buildkitd", version.Package, version.Version, version.Revision)
		return
	}
	if err := run(*file); err != nil {
		fmt.Fprintf(os.Stderr, "buildkitd: %+v\n", err)
		os.Exit(1)
	}
}

func run(file string) error {
	if os.Geteuid() != 0 {
		return fmt.Errorf("buildkitd needs root")
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	cfg, err := config.LoadFile(file)
	if err != nil {
		return err
	}
	logrus.SetFormatter(&logrus.TextFormatter{FullTimestamp: true})
	if cfg.Root, err = filepath.Abs(cfg.Root); err != nil {
		return err
	}
	if err := os.MkdirAll(cfg.Root, 0o700); err != nil {
		return err
	}
	lock := flock.New(filepath.Join(cfg.Root, "buildkitd.lock"))
	if locked, err := lock.TryLock(); err != nil {
		return fmt.Errorf("lock %s: %w", lock.Path(), err)
	} else if !locked {
		return fmt.Errorf("could not lock %s, another instance running?", lock.Path())
	}
	defer lock.Unlock()

	listeners, err := listen(cfg.GRPC.Address)
	if err != nil {
		return err
	}
	controller, err := newController(ctx, &cfg)
	if err != nil {
		return err
	}
	defer controller.Close()
	server := grpc.NewServer(
		grpc.ChainUnaryInterceptor(logErrors, grpcerrors.UnaryServerInterceptor),
		grpc.StreamInterceptor(grpcerrors.StreamServerInterceptor),
		grpc.MaxRecvMsgSize(defaults.DefaultMaxRecvMsgSize),
		grpc.MaxSendMsgSize(defaults.DefaultMaxSendMsgSize),
	)
	healthv1.RegisterHealthServer(server, health.NewServer())
	controller.Register(server)
	return serve(ctx, server, listeners)
}

func logErrors(ctx context.Context, request any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	response, err := handler(ctx, request)
	if err != nil {
		bklog.G(ctx).Errorf("%s returned error: %v", info.FullMethod, err)
	}
	return response, err
}

func listen(addresses []string) ([]net.Listener, error) {
	var listeners []net.Listener
	for _, address := range addresses {
		socket, isUnix := strings.CutPrefix(address, "unix://")
		if !isUnix {
			return nil, fmt.Errorf("address %s: only unix:// is served", address)
		}
		listener, err := sys.GetLocalListener(socket, os.Getuid(), os.Getgid())
		if err != nil {
			return nil, err
		}
		listeners = append(listeners, listener)
	}
	if len(listeners) == 0 {
		return nil, fmt.Errorf("grpc.address names no socket")
	}
	return listeners, nil
}

// serve ends when a listener fails or a signal asks for it.
func serve(ctx context.Context, server *grpc.Server, listeners []net.Listener) error {
	failed := make(chan error, len(listeners))
	for _, listener := range listeners {
		bklog.L.Infof("running server on %s", listener.Addr())
		go func() { failed <- server.Serve(listener) }()
	}
	var err error
	select {
	case err = <-failed:
	case <-ctx.Done():
	}
	bklog.L.Info("stopping server")
	server.GracefulStop()
	return err
}

func newController(ctx context.Context, cfg *config.Config) (*control.Controller, error) {
	sessions, err := session.NewManager()
	if err != nil {
		return nil, err
	}
	hosts := resolver.NewRegistryConfig(cfg.Registries)
	workers, err := newWorkers(cfg, hosts)
	if err != nil {
		return nil, err
	}
	w, err := workers.GetDefault()
	if err != nil {
		return nil, err
	}
	gatewayFrontend, err := gateway.NewGatewayFrontend(workers.Infos(), nil)
	if err != nil {
		return nil, err
	}
	cacheStorage, err := bboltcachestorage.NewStore(filepath.Join(cfg.Root, "cache.db"))
	if err != nil {
		return nil, err
	}
	history, err := boltutil.SafeOpen(filepath.Join(cfg.Root, "history.db"), 0o600, &bolt.Options{FreelistType: bolt.FreelistMapType})
	if err != nil {
		return nil, err
	}
	return control.NewController(control.Opt{
		SessionManager:   sessions,
		WorkerController: workers,
		Frontends: map[string]frontend.Frontend{
			"dockerfile.v0": forwarder.NewGatewayForwarder(workers.Infos(), dockerfile.Build),
			"gateway.v0":    gatewayFrontend,
		},
		ResolveCacheExporterFuncs: map[string]remotecache.ResolveCacheExporterFunc{
			"registry": registrycache.ResolveCacheExporterFunc(sessions, hosts),
			"local":    localcache.ResolveCacheExporterFunc(sessions),
			"inline":   inlinecache.ResolveCacheExporterFunc(),
		},
		ResolveCacheImporterFuncs: map[string]remotecache.ResolveCacheImporterFunc{
			"registry": registrycache.ResolveCacheImporterFunc(sessions, w.ContentStore(), hosts),
			"local":    localcache.ResolveCacheImporterFunc(sessions),
		},
		CacheManager:   solver.NewCacheManager(context.Background(), "local", cacheStorage, worker.NewCacheResultStorage(workers)),
		Entitlements:   cfg.Entitlements,
		MeterProvider:  noop.NewMeterProvider(),
		HistoryDB:      history,
		CacheStore:     cacheStorage,
		LeaseManager:   w.LeaseManager(),
		ContentStore:   w.ContentStore(),
		HistoryConfig:  cfg.History,
		GarbageCollect: w.GarbageCollect,
		GracefulStop:   ctx.Done(),
	})
}

func newWorkers(cfg *config.Config, hosts docker.RegistryHosts) (*worker.Controller, error) {
	oc := cfg.Workers.OCI
	factory, err := snapshotter(cfg.Root, oc.Snapshotter)
	if err != nil {
		return nil, err
	}
	network := netproviders.Opt{
		Mode: oc.Mode,
		CNI: cniprovider.Opt{
			Root:         cfg.Root,
			ConfigPath:   oc.CNIConfigPath,
			BinaryDir:    oc.CNIBinaryPath,
			PoolSize:     oc.CNIPoolSize,
			BridgeName:   oc.BridgeName,
			BridgeSubnet: oc.BridgeSubnet,
		},
	}
	var dns *oci.DNSConfig
	if cfg.DNS != nil {
		dns = &oci.DNSConfig{Nameservers: cfg.DNS.Nameservers, Options: cfg.DNS.Options, SearchDomains: cfg.DNS.SearchDomains}
	}
	var parallelism *semaphore.Weighted
	if oc.MaxParallelism > 0 {
		parallelism = semaphore.NewWeighted(int64(oc.MaxParallelism))
	}
	opt, err := runc.NewWorkerOpt(cfg.Root, factory, false, oci.ProcessSandbox, oc.Labels, nil, network, dns, oc.Binary,
		oc.ApparmorProfile, oc.SELinux, parallelism, "", oc.DefaultCgroupParent, nil)
	if err != nil {
		return nil, err
	}
	opt.GCPolicy = garbagePolicy(oc.GCConfig, cfg.Root)
	opt.BuildkitVersion = client.BuildkitVersion{Package: version.Package, Version: version.Version, Revision: version.Revision}
	opt.RegistryHosts = hosts
	w, err := base.NewWorker(context.Background(), opt)
	if err != nil {
		return nil, err
	}
	bklog.L.Infof("found worker %q, labels=%v", w.ID(), w.Labels())
	workers := &worker.Controller{}
	return workers, workers.Add(w)
}

func snapshotter(root, name string) (runc.SnapshotterFactory, error) {
	if name == "auto" || name == "" {
		name = "overlayfs"
		if err := overlayutils.Supported(root); err != nil {
			bklog.L.Infof("overlayfs is not available for %s: %v", root, err)
			name = "native"
		}
		bklog.L.Infof("auto snapshotter: using %s", name)
	}
	factory := runc.SnapshotterFactory{Name: name}
	switch name {
	case "native":
		factory.New = native.NewSnapshotter
	case "overlayfs":
		factory.New = func(root string) (snapshots.Snapshotter, error) {
			return overlay.NewSnapshotter(root, overlay.AsynchronousRemove)
		}
	default:
		return factory, fmt.Errorf("snapshotter %q: not one of auto, overlayfs, native", name)
	}
	return factory, nil
}

func garbagePolicy(cfg config.GCConfig, root string) []client.PruneInfo {
	if cfg.GC != nil && !*cfg.GC {
		return nil
	}
	disk, _ := disk.GetDiskStat(root)
	rules := cfg.GCPolicy
	if len(rules) == 0 {
		rules = config.DefaultGCPolicy(cfg, disk)
	}
	var policy []client.PruneInfo
	for _, rule := range rules {
		policy = append(policy, client.PruneInfo{
			Filter:        rule.Filters,
			All:           rule.All,
			KeepDuration:  rule.KeepDuration.Duration,
			ReservedSpace: rule.ReservedSpace.AsBytes(disk),
			MaxUsedSpace:  rule.MaxUsedSpace.AsBytes(disk),
			MinFreeSpace:  rule.MinFreeSpace.AsBytes(disk),
		})
	}
	return policy
}
