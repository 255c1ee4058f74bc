// Package controllers runs the real controllers that a rollout needs, and no others.
package controllers

import (
	"context"
	"fmt"
	"time"

	v1 "k8s.io/api/core/v1"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/metadata/metadatainformer"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/util/flowcontrol"
	"k8s.io/controller-manager/pkg/informerfactory"
	"k8s.io/klog/v2"
	"k8s.io/kubernetes/pkg/controller/daemon"
	"k8s.io/kubernetes/pkg/controller/deployment"
	"k8s.io/kubernetes/pkg/controller/endpointslice"
	"k8s.io/kubernetes/pkg/controller/garbagecollector"
	"k8s.io/kubernetes/pkg/controller/job"
	"k8s.io/kubernetes/pkg/controller/namespace"
	"k8s.io/kubernetes/pkg/controller/replicaset"
	"k8s.io/kubernetes/pkg/controller/serviceaccount"
	"k8s.io/kubernetes/pkg/controller/statefulset"
)

// Run starts them, and answers when their caches are being filled.
func Run(ctx context.Context, kubeconfig string) error {
	cfg, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return err
	}
	cfg.QPS, cfg.Burst = 400, 800
	c, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return err
	}
	mc, err := metadata.NewForConfig(cfg)
	if err != nil {
		return err
	}
	f := informers.NewSharedInformerFactory(c, 0)
	mf := metadatainformer.NewSharedInformerFactory(mc, 0)
	apps, core := f.Apps().V1(), f.Core().V1()

	dc, err := deployment.NewDeploymentController(ctx, apps.Deployments(), apps.ReplicaSets(), core.Pods(), c)
	if err != nil {
		return err
	}
	rs := replicaset.NewReplicaSetController(ctx, apps.ReplicaSets(), core.Pods(), c, replicaset.BurstReplicas)
	ss := statefulset.NewStatefulSetController(ctx, core.Pods(), apps.StatefulSets(), core.PersistentVolumeClaims(), apps.ControllerRevisions(), c)
	ds, err := daemon.NewDaemonSetsController(ctx, apps.DaemonSets(), apps.ControllerRevisions(), core.Pods(), core.Nodes(), c, flowcontrol.NewBackOff(time.Second, time.Minute))
	if err != nil {
		return err
	}
	jc, err := job.NewController(ctx, c, core.Pods(), f.Batch().V1().Jobs(), nil, nil)
	if err != nil {
		return err
	}
	es := endpointslice.NewController(ctx, core.Pods(), core.Services(), core.Nodes(), f.Discovery().V1().EndpointSlices(), 100, c, 0)
	ns := namespace.NewNamespaceController(ctx, c, mc, c.Discovery().ServerPreferredNamespacedResources, core.Namespaces(), 5*time.Minute, v1.FinalizerKubernetes)
	sa, err := serviceaccount.NewServiceAccountsController(klog.FromContext(ctx), core.ServiceAccounts(), core.Namespaces(), c, serviceaccount.DefaultServiceAccountsControllerOptions())
	if err != nil {
		return err
	}
	mapper := restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(c.Discovery()))
	started := make(chan struct{})
	gc, err := garbagecollector.NewGarbageCollector(ctx, c, mc, mapper, garbagecollector.DefaultIgnoredResources(), informerfactory.NewInformerFactory(f, mf), started)
	if err != nil {
		return err
	}
	f.Start(ctx.Done())
	mf.Start(ctx.Done())
	close(started)
	go dc.Run(ctx, 5)
	go rs.Run(ctx, 5)
	go ss.Run(ctx, 2)
	go ds.Run(ctx, 2)
	go jc.Run(ctx, 2)
	go es.Run(ctx, 2)
	go ns.Run(ctx, 2)
	go sa.Run(ctx, 1)
	go gc.Run(ctx, 5, 30*time.Second)
	go gc.Sync(ctx, c.Discovery(), 30*time.Second)
	fmt.Println("controllers started")
	return nil
}
