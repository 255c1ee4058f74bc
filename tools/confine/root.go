package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"golang.org/x/sys/unix"
)

const (
	readOnly = unix.MOUNT_ATTR_RDONLY | unix.MOUNT_ATTR_NOSUID | unix.MOUNT_ATTR_NODEV
	// A place that is on every system; everything that is shown is opened before it is covered.
	newRoot = "/tmp"
	// A folder for temporary files holds no more.
	temporarySize = "1g"
)

// What Node and the libraries below it are made of, and the certificates of the machine, never their keys.
var systemPaths = []string{
	"/lib", "/lib32", "/lib64", "/libx32", "/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/libx32", "/usr/local/lib", "/usr/share/nodejs",
	"/usr/share/zoneinfo", "/usr/share/ca-certificates", "/usr/local/share/ca-certificates", "/usr/share/pki", "/etc/ssl/certs",
	"/etc/ssl/cert.pem", "/etc/ssl/ca-bundle.pem", "/etc/pki/tls/certs", "/etc/pki/ca-trust/extracted", "/etc/ca-certificates/extracted",
	"/etc/localtime", "/etc/ld.so.cache", "/etc/alternatives", "/gnu/store", "/nix/store",
}

var devices = []string{"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"}

// What is shown: a part of the machine's tree, taken out of it before the root changes.
type shown struct {
	path   string
	tree   int
	folder bool
}

// enterRoot makes a root of its own and leaves the machine's.
func enterRoot(parsed spec) error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return err
	}
	visible := append(append([]string{}, parsed.Visible...), parsed.Command[0])
	links, places := sortOut(append(append([]string{}, systemPaths...), visible...))
	var trees []shown
	for _, place := range places {
		tree, err := take(place, readOnly)
		if err != nil {
			return err
		}
		if tree != nil {
			trees = append(trees, *tree)
		}
	}
	for _, device := range devices {
		tree, err := take(device, unix.MOUNT_ATTR_NOSUID|unix.MOUNT_ATTR_NOEXEC)
		if err != nil {
			return err
		}
		if tree != nil {
			trees = append(trees, *tree)
		}
	}
	if err := mountTemporary(); err != nil {
		return err
	}
	for link, target := range links {
		if err := makeLink(newRoot+link, target); err != nil {
			return err
		}
	}
	for _, tree := range trees {
		if err := tree.put(newRoot + tree.path); err != nil {
			return fmt.Errorf("%s: %w", tree.path, err)
		}
	}
	if err := writeSystemFiles(newRoot); err != nil {
		return err
	}
	if err := mountOwn(parsed.Hidden); err != nil {
		return err
	}
	if err := os.Chdir(newRoot); err != nil {
		return err
	}
	if err := unix.PivotRoot(".", "."); err != nil {
		return err
	}
	if err := unix.Unmount(".", unix.MNT_DETACH); err != nil {
		return err
	}
	if err := unix.MountSetattr(unix.AT_FDCWD, "/", 0, &unix.MountAttr{Attr_set: readOnly}); err != nil {
		return err
	}
	return os.Chdir(parsed.Folder)
}

// sortOut tells links of the system from places, and leaves out what another place already shows.
func sortOut(paths []string) (links map[string]string, places []string) {
	links = map[string]string{}
	sort.Slice(paths, func(a, b int) bool { return len(paths[a]) < len(paths[b]) })
	for _, path := range paths {
		path = filepath.Clean(path)
		if target, err := os.Readlink(path); err == nil && filepath.Dir(path) == "/" {
			links[path] = target
			continue
		}
		covered := false
		for _, place := range places {
			covered = covered || path == place || strings.HasPrefix(path, place+"/")
		}
		if !covered {
			places = append(places, path)
		}
	}
	return links, places
}

// take copies a part of the mount tree, with the flags on all that is mounted in it. What is not there is not shown.
func take(path string, flags uint64) (*shown, error) {
	tree, err := unix.OpenTree(unix.AT_FDCWD, path, unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC|unix.AT_RECURSIVE)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOTDIR) || errors.Is(err, unix.ELOOP) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if err := unix.MountSetattr(tree, "", unix.AT_EMPTY_PATH|unix.AT_RECURSIVE, &unix.MountAttr{Attr_set: flags}); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	var stat unix.Stat_t
	if err := unix.Fstat(tree, &stat); err != nil {
		return nil, err
	}
	return &shown{path: path, tree: tree, folder: stat.Mode&unix.S_IFMT == unix.S_IFDIR}, nil
}

func (tree shown) put(target string) error {
	parent := target
	if !tree.folder {
		parent = filepath.Dir(target)
	}
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return err
	}
	if !tree.folder {
		if err := os.WriteFile(target, nil, 0o444); err != nil {
			return err
		}
	}
	defer unix.Close(tree.tree)
	return unix.MoveMount(tree.tree, "", unix.AT_FDCWD, target, unix.MOVE_MOUNT_F_EMPTY_PATH)
}

func makeLink(path, target string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.Symlink(target, path)
}
