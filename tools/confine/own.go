package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// mountTemporary mounts the only folders that can be written to. What is shown of the machine's /tmp is mounted in there.
func mountTemporary() error {
	if err := mountNew("tmpfs", newRoot, unix.MOUNT_ATTR_NOSUID|unix.MOUNT_ATTR_NODEV, "mode=0755", "size=16m"); err != nil {
		return err
	}
	for _, folder := range []string{"/tmp", "/proc", "/root"} {
		if err := os.Mkdir(newRoot+folder, 0o755); err != nil {
			return err
		}
	}
	flags := uint64(unix.MOUNT_ATTR_NOSUID | unix.MOUNT_ATTR_NODEV | unix.MOUNT_ATTR_NOEXEC)
	return mountNew("tmpfs", newRoot+"/tmp", flags, "mode=1777", "size="+temporarySize, "nr_inodes=100000")
}

// mountOwn mounts /proc with nothing but the program's own processes, and nothing over what is hidden.
func mountOwn(hidden []string) error {
	// Inside of a container that hides parts of /proc the kernel gives no whole one; Node runs without it.
	process := uint64(readOnly | unix.MOUNT_ATTR_NOEXEC)
	if err := mountNew("proc", newRoot+"/proc", process, "subset=pid", "hidepid=invisible"); err != nil && !errors.Is(err, unix.EPERM) {
		return fmt.Errorf("/proc: %w", err)
	}
	// Who reads what is hidden hears that it may not, not that it is empty.
	unreadable := newRoot + "/.hidden"
	if err := os.WriteFile(unreadable, nil, 0); err != nil {
		return err
	}
	defer os.Remove(unreadable)
	for _, path := range hidden {
		if err := cover(newRoot+path, unreadable); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	return nil
}

// cover mounts a folder or file that can't be read over one; what is not there needs none.
func cover(path, unreadable string) error {
	stats, err := os.Lstat(path)
	if err != nil || stats.Mode()&os.ModeSymlink != 0 {
		return nil
	}
	if stats.IsDir() {
		return mountNew("tmpfs", path, readOnly|unix.MOUNT_ATTR_NOEXEC, "mode=0000", "size=4k")
	}
	return unix.Mount(unreadable, path, "", unix.MS_BIND, "")
}

// mountNew mounts a file system of its own.
func mountNew(kind, target string, flags uint64, options ...string) error {
	context, err := unix.Fsopen(kind, unix.FSOPEN_CLOEXEC)
	if err != nil {
		return err
	}
	defer unix.Close(context)
	for _, option := range options {
		key, value, _ := strings.Cut(option, "=")
		if err := unix.FsconfigSetString(context, key, value); err != nil {
			return err
		}
	}
	if err := unix.FsconfigCreate(context); err != nil {
		return err
	}
	tree, err := unix.Fsmount(context, unix.FSMOUNT_CLOEXEC, int(flags))
	if err != nil {
		return err
	}
	defer unix.Close(tree)
	return unix.MoveMount(tree, "", unix.AT_FDCWD, target, unix.MOVE_MOUNT_F_EMPTY_PATH)
}

// writeSystemFiles writes what libraries read in /etc: none of the machine's users, and names from confine's own port.
func writeSystemFiles(root string) error {
	files := map[string]string{
		"/etc/passwd":        fmt.Sprintf("body:x:%d:%d::/root:/bin/false\n", insideUser, insideUser),
		"/etc/group":         fmt.Sprintf("body:x:%d:\n", insideUser),
		"/etc/hosts":         "127.0.0.1 localhost fastloop\n::1 localhost\n",
		"/etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
		"/etc/resolv.conf":   "nameserver 127.0.0.1\n" + searchLines(resolverFile),
	}
	for path, content := range files {
		if err := os.MkdirAll(filepath.Dir(root+path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(root+path, []byte(content), 0o444); err != nil {
			return err
		}
	}
	return nil
}
