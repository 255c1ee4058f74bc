// Package node plays scheduler and kubelet: it registers one node, binds
// pods to it and writes their status, so that Deployments roll out without a
// container runtime. What a pod does is read from its first image's tag:
//
//	:...slow5      becomes ready after 5 seconds
//	:...unready    runs and never becomes ready
//	:...crash      CrashLoopBackOff
//	:...nopull     ImagePullBackOff
//
// Jobs' pods (restartPolicy Never/OnFailure) succeed, or fail with :...fail.
package node

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	coordv1 "k8s.io/api/coordination/v1"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
	certutil "k8s.io/client-go/util/cert"
)

const nodeName = "test-node"

var slow = regexp.MustCompile(`slow(\d+)`)

type stub struct {
	c    kubernetes.Interface
	port int32
	mu   sync.Mutex
	seen map[types.UID]string
	ip   int
}

func Run(kubeconfig string) error {
	cfg, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return err
	}
	cfg.QPS, cfg.Burst = 200, 400
	c, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return err
	}
	s := &stub{c: c, seen: map[types.UID]string{}}
	if err := s.serveLogs(); err != nil {
		return err
	}
	ctx := context.Background()
	for s.register(ctx) != nil {
		time.Sleep(200 * time.Millisecond)
	}
	go s.heartbeat(ctx)
	f := informers.NewSharedInformerFactory(c, 0)
	f.Core().V1().Pods().Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(o any) { s.pod(ctx, o.(*v1.Pod)) },
		UpdateFunc: func(_, o any) { s.pod(ctx, o.(*v1.Pod)) },
		DeleteFunc: func(o any) {
			if p, ok := o.(*v1.Pod); ok {
				s.mu.Lock()
				delete(s.seen, p.UID)
				s.mu.Unlock()
			}
		},
	})
	f.Start(ctx.Done())
	fmt.Println("node ready")
	select {}
}

// serveLogs answers logs and port forwards (the API server asks the node's kubelet port).
func (s *stub) serveLogs() error {
	cert, key, err := certutil.GenerateSelfSignedCertKey("127.0.0.1", []net.IP{net.ParseIP("127.0.0.1")}, nil)
	if err != nil {
		return err
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s.port = int32(l.Addr().(*net.TCPAddr).Port)
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
		if len(p) == 4 && p[0] == "containerLogs" {
			fmt.Fprintf(w, "stub log of %s/%s container %s\nlistening on :8080\n", p[1], p[2], p[3])
			if r.URL.Query().Get("follow") == "true" {
				follow(w, r)
			}
			return
		}
		if len(p) == 3 && p[0] == "portForward" {
			forward(p[2]).ServeHTTP(w, r)
			return
		}
		http.NotFound(w, r)
	})
	go http.Serve(tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{pair}}), h)
	return nil
}

func (s *stub) register(ctx context.Context) error {
	_, err := s.c.CoreV1().Nodes().Get(ctx, nodeName, metav1.GetOptions{})
	if err != nil {
		_, err = s.c.CoreV1().Nodes().Create(ctx, &v1.Node{ObjectMeta: metav1.ObjectMeta{Name: nodeName, Labels: map[string]string{"kubernetes.io/os": "linux", "kubernetes.io/hostname": nodeName}}}, metav1.CreateOptions{})
		if err != nil {
			return err
		}
	}
	return s.beat(ctx)
}

func (s *stub) beat(ctx context.Context) error {
	now := metav1.Now()
	q := func(v string) resource.Quantity { return resource.MustParse(v) }
	rl := v1.ResourceList{"cpu": q("64"), "memory": q("256Gi"), "pods": q("1000")}
	st := v1.NodeStatus{Capacity: rl, Allocatable: rl, Phase: v1.NodeRunning,
		Conditions:      []v1.NodeCondition{{Type: v1.NodeReady, Status: v1.ConditionTrue, Reason: "StubReady", LastHeartbeatTime: now, LastTransitionTime: now}},
		Addresses:       []v1.NodeAddress{{Type: v1.NodeInternalIP, Address: "127.0.0.1"}},
		DaemonEndpoints: v1.NodeDaemonEndpoints{KubeletEndpoint: v1.DaemonEndpoint{Port: s.port}},
	}
	b, _ := json.Marshal(map[string]any{"status": st})
	if _, err := s.c.CoreV1().Nodes().Patch(ctx, nodeName, types.MergePatchType, b, metav1.PatchOptions{}, "status"); err != nil {
		return err
	}
	d, t := int32(40), metav1.NowMicro()
	id := nodeName
	l := &coordv1.Lease{ObjectMeta: metav1.ObjectMeta{Name: nodeName, Namespace: "kube-node-lease"}, Spec: coordv1.LeaseSpec{HolderIdentity: &id, LeaseDurationSeconds: &d, RenewTime: &t}}
	ls := s.c.CoordinationV1().Leases("kube-node-lease")
	if old, err := ls.Get(ctx, nodeName, metav1.GetOptions{}); err == nil {
		old.Spec.RenewTime = &t
		ls.Update(ctx, old, metav1.UpdateOptions{})
	} else {
		ls.Create(ctx, l, metav1.CreateOptions{})
	}
	return nil
}

func (s *stub) heartbeat(ctx context.Context) {
	for range time.Tick(10 * time.Second) {
		s.beat(ctx)
	}
}

func (s *stub) once(p *v1.Pod, step string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.seen[p.UID] == step {
		return false
	}
	s.seen[p.UID] = step
	return true
}

// retry repeats f while the API server is away.
func retry(f func() error) {
	for i := 0; i < 100 && f() != nil; i++ {
		time.Sleep(300 * time.Millisecond)
	}
}

func (s *stub) pod(ctx context.Context, p *v1.Pod) {
	pods := s.c.CoreV1().Pods(p.Namespace)
	if p.DeletionTimestamp != nil {
		if s.once(p, "gone") {
			zero := int64(0)
			go retry(func() error {
				err := pods.Delete(ctx, p.Name, metav1.DeleteOptions{GracePeriodSeconds: &zero, Preconditions: &metav1.Preconditions{UID: &p.UID}})
				if err != nil && (strings.Contains(err.Error(), "not found") || strings.Contains(err.Error(), "onflict")) {
					return nil
				}
				return err
			})
		}
		return
	}
	if p.Spec.NodeName == "" {
		if len(p.Spec.SchedulingGates) == 0 && p.Spec.NodeSelector["stub"] != "unschedulable" && s.once(p, "bind") {
			go retry(func() error {
				err := pods.Bind(ctx, &v1.Binding{ObjectMeta: metav1.ObjectMeta{Name: p.Name, UID: p.UID}, Target: v1.ObjectReference{Kind: "Node", Name: nodeName}}, metav1.CreateOptions{})
				if err != nil && (strings.Contains(err.Error(), "not found") || strings.Contains(err.Error(), "already assigned")) {
					return nil
				}
				return err
			})
		}
		return
	}
	if p.Status.Phase != v1.PodPending || len(p.Status.ContainerStatuses) > 0 || !s.once(p, "run") {
		return
	}
	go s.start(ctx, p)
}

func (s *stub) start(ctx context.Context, p *v1.Pod) {
	tag := p.Spec.Containers[0].Image
	s.mu.Lock()
	s.ip++
	ip := fmt.Sprintf("10.88.%d.%d", s.ip/250, s.ip%250+2)
	s.mu.Unlock()
	job := p.Spec.RestartPolicy != v1.RestartPolicyAlways
	now := metav1.Now()
	switch {
	case strings.Contains(tag, "nopull"):
		s.status(ctx, p, v1.PodPending, false, ip, v1.ContainerState{Waiting: &v1.ContainerStateWaiting{Reason: "ImagePullBackOff", Message: "Back-off pulling image \"" + tag + "\""}}, 0)
	case strings.Contains(tag, "crash"):
		s.status(ctx, p, v1.PodRunning, false, ip, v1.ContainerState{Waiting: &v1.ContainerStateWaiting{Reason: "CrashLoopBackOff", Message: "back-off 10s restarting failed container"}}, 3)
	case job && strings.Contains(tag, "fail"):
		s.status(ctx, p, v1.PodFailed, false, ip, v1.ContainerState{Terminated: &v1.ContainerStateTerminated{ExitCode: 1, Reason: "Error", StartedAt: now, FinishedAt: now}}, 0)
	case job:
		s.status(ctx, p, v1.PodSucceeded, false, ip, v1.ContainerState{Terminated: &v1.ContainerStateTerminated{ExitCode: 0, Reason: "Completed", StartedAt: now, FinishedAt: now}}, 0)
	case strings.Contains(tag, "unready"):
		s.status(ctx, p, v1.PodRunning, false, ip, v1.ContainerState{Running: &v1.ContainerStateRunning{StartedAt: now}}, 0)
	default:
		run := v1.ContainerState{Running: &v1.ContainerStateRunning{StartedAt: now}}
		if m := slow.FindStringSubmatch(tag); m != nil {
			n, _ := strconv.Atoi(m[1])
			s.status(ctx, p, v1.PodRunning, false, ip, run, 0)
			time.Sleep(time.Duration(n) * time.Second)
		}
		s.status(ctx, p, v1.PodRunning, true, ip, run, 0)
	}
}

func (s *stub) status(ctx context.Context, p *v1.Pod, phase v1.PodPhase, ready bool, ip string, st v1.ContainerState, restarts int32) {
	now := metav1.Now()
	cond := func(t v1.PodConditionType, ok bool) v1.PodCondition {
		c := v1.PodCondition{Type: t, Status: v1.ConditionTrue, LastTransitionTime: now}
		if !ok {
			c.Status, c.Reason = v1.ConditionFalse, "ContainersNotReady"
		}
		return c
	}
	status := v1.PodStatus{Phase: phase, PodIP: ip, PodIPs: []v1.PodIP{{IP: ip}}, HostIP: "127.0.0.1", StartTime: &now,
		Conditions: []v1.PodCondition{cond(v1.PodScheduled, true), cond(v1.PodInitialized, true), cond(v1.ContainersReady, ready), cond(v1.PodReady, ready)}}
	for _, c := range p.Spec.Containers {
		cs := v1.ContainerStatus{Name: c.Name, Image: c.Image, ImageID: "stub://" + c.Image, Ready: ready, RestartCount: restarts, State: st, Started: &ready}
		if restarts > 0 {
			cs.LastTerminationState = v1.ContainerState{Terminated: &v1.ContainerStateTerminated{ExitCode: 1, Reason: "Error", StartedAt: now, FinishedAt: now}}
		}
		status.ContainerStatuses = append(status.ContainerStatuses, cs)
	}
	b, _ := json.Marshal(map[string]any{"metadata": map[string]any{"uid": p.UID}, "status": status})
	retry(func() error {
		_, err := s.c.CoreV1().Pods(p.Namespace).Patch(ctx, p.Name, types.StrategicMergePatchType, b, metav1.PatchOptions{}, "status")
		if err != nil && (strings.Contains(err.Error(), "not found") || strings.Contains(err.Error(), "onflict")) {
			return nil
		}
		return err
	})
}
