package main

import (
	"os"
	"sync"
	"syscall"
	"time"
)

// reaper waits for the processes of a container. As an init it reaps every child, so that whoever waits for one of them
// has to hear of it here.
type reaper struct {
	mutex   sync.Mutex
	waiting map[int]chan int
	// One process is waited for, and no other.
	single bool
}

func newReaper(noInit bool) *reaper {
	return &reaper{waiting: map[int]chan int{}, single: noInit || os.Getpid() != 1}
}

// start runs a process whose exit code comes on the channel, besides the one that `wait` is called for.
func (reaper *reaper) start(executable string, args []string, attributes *os.ProcAttr) (int, <-chan int, error) {
	reaper.mutex.Lock()
	defer reaper.mutex.Unlock()
	process, err := os.StartProcess(executable, args, attributes)
	if err != nil {
		return 0, nil, err
	}
	ended := make(chan int, 1)
	if reaper.single {
		go func() {
			state, err := process.Wait()
			if err != nil {
				ended <- 125
				return
			}
			ended <- exitCodeOf(state.Sys().(syscall.WaitStatus))
		}()
	} else {
		reaper.waiting[process.Pid] = ended
	}
	return process.Pid, ended, nil
}

// What `wait` returns where there is no such process.
const noChild = 125

// wait returns the exit code of process pid when it has ended; as an init it reaps every other child on the way.
func (reaper *reaper) wait(pid int) int {
	target := -1
	if reaper.single {
		target = pid
	}
	for {
		var status syscall.WaitStatus
		ended, err := syscall.Wait4(target, &status, 0, nil)
		if err == syscall.EINTR {
			continue
		}
		if err != nil {
			return noChild
		}
		if ended == pid {
			return exitCodeOf(status)
		}
		reaper.mutex.Lock()
		if waiting, known := reaper.waiting[ended]; known {
			delete(reaper.waiting, ended)
			waiting <- exitCodeOf(status)
		}
		reaper.mutex.Unlock()
	}
}

// Between two looks for children where there are none.
const childlessPause = 20 * time.Millisecond

// reap waits for all children, for as long as the process lives: for who has nobody of its own to `wait` for.
func (reaper *reaper) reap() {
	if reaper.single {
		return
	}
	for {
		if reaper.wait(0) == noChild {
			time.Sleep(childlessPause)
		}
	}
}

func exitCodeOf(status syscall.WaitStatus) int {
	if status.Signaled() {
		return 128 + int(status.Signal())
	}
	return status.ExitStatus()
}
