package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// syncFiles writes edits of the host into this container, and passes on what is asked of its service and what that says.
// It runs as root, whoever the service is: files keep their owner and mode.
//
//	shim sync --control NAME SOCKET
//
// On SOCKET the host sends batches, each a line {"id","edits":[…]} and the contents of its files one after another; the
// answer is {"done":id,"watched","error"}. What has "do" is for the service (live.go). Ends when the host has left, and
// never with an error: BuildKit would end the container with it.
func syncFiles(arguments []string) (int, error) {
	if len(arguments) != 3 || arguments[0] != "--control" {
		return 0, errors.New("sync needs --control NAME and a socket")
	}
	host, err := net.Dial("unix", arguments[2])
	if err != nil {
		fmt.Fprintln(os.Stderr, "fastloop shim:", err)
		return 0, nil
	}
	service, err := net.Dial("unix", "@"+arguments[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, "fastloop shim:", err)
		return 0, nil
	}
	helper := &syncHelper{host: host, service: service, known: map[string]bool{}}
	go helper.passOn()
	helper.serve()
	return 0, nil
}

type syncHelper struct {
	mutex         sync.Mutex
	host, service net.Conn
	// Files that a program watched when they were written last.
	known map[string]bool
}

// How long a program that starts again may take until it watches a file that it watched before: what was written before
// that it would not see.
const (
	rewatchPatience = 2 * time.Second
	rewatchPause    = 15 * time.Millisecond
)

// watchedNow looks what is watched, and once more while a file that was is not.
func (helper *syncHelper) watchedNow(edits []edit) map[uint64]bool {
	for end := time.Now().Add(rewatchPatience); ; time.Sleep(rewatchPause) {
		watched := watchedInodes()
		missing := false
		for _, each := range edits {
			path := filepath.Join("/", each.Root, each.Path)
			isWatched := watched[inodeOf(path)]
			missing = missing || each.Action == "put" && helper.known[path] && !isWatched
			if isWatched {
				helper.known[path] = true
			}
		}
		if !missing || time.Now().After(end) {
			return watched
		}
	}
}

type batch struct {
	Id    int    `json:"id"`
	Do    string `json:"do"`
	Edits []edit `json:"edits"`
}

// edit is one change below a folder (or of a file) `root`; `path` is relative to it and leads nowhere else.
type edit struct {
	Action string `json:"action"`
	Root   string `json:"root"`
	Path   string `json:"path"`
	Size   int64  `json:"size"`
	Mode   uint32 `json:"mode"`
	Target string `json:"target"`
}

// passOn hands the service's lines to the host.
func (helper *syncHelper) passOn() {
	lines := bufio.NewReader(helper.service)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return
		}
		helper.write(line)
	}
}

func (helper *syncHelper) write(line []byte) {
	helper.mutex.Lock()
	defer helper.mutex.Unlock()
	_, _ = helper.host.Write(line)
}

func (helper *syncHelper) serve() {
	reader := bufio.NewReaderSize(helper.host, 1<<16)
	for {
		line, err := reader.ReadBytes('\n')
		if err != nil {
			return
		}
		var wanted batch
		if json.Unmarshal(line, &wanted) != nil {
			return
		}
		if wanted.Do != "" {
			_, _ = helper.service.Write(line)
			continue
		}
		watched := helper.watchedNow(wanted.Edits)
		answer := map[string]any{"done": wanted.Id}
		seen := false
		for _, each := range wanted.Edits {
			body := io.LimitReader(reader, each.Size)
			isWatched, err := each.apply(body, watched)
			seen = seen || isWatched
			if err != nil && answer["error"] == nil {
				answer["error"] = err.Error()
			}
			_, _ = io.Copy(io.Discard, body)
		}
		answer["watched"] = seen
		if line, err := json.Marshal(answer); err == nil {
			helper.write(append(line, '\n'))
		}
	}
}

// apply says whether a program of this container watches the file, or the folder that it is in.
func (edit edit) apply(body io.Reader, watched map[uint64]bool) (bool, error) {
	path, err := edit.place()
	if err != nil {
		return false, err
	}
	isWatched := watched[inodeOf(path)] || watched[inodeOf(filepath.Dir(path))]
	switch edit.Action {
	case "put":
		return isWatched, edit.put(path, body, watched[inodeOf(path)])
	case "folder":
		return isWatched, edit.folder(path)
	case "link":
		return isWatched, edit.link(path)
	case "remove":
		return isWatched, os.RemoveAll(path)
	default:
		return false, fmt.Errorf("unknown action %q", edit.Action)
	}
}

// place gives where the edit goes, and makes the folders on the way. Below its root no link is followed.
func (edit edit) place() (string, error) {
	root := filepath.Clean("/" + edit.Root)
	if edit.Path == "" {
		return root, os.MkdirAll(filepath.Dir(root), 0o755)
	}
	if edit.Action != "remove" {
		if err := os.MkdirAll(root, 0o755); err != nil {
			return "", err
		}
	}
	parts := strings.Split(edit.Path, "/")
	for index, part := range parts {
		if part == "" || part == "." || part == ".." {
			return "", fmt.Errorf("%s leaves its folder", edit.Path)
		}
		if index == len(parts)-1 {
			return filepath.Join(root, edit.Path), nil
		}
		folder := filepath.Join(root, filepath.Join(parts[:index+1]...))
		stats, err := os.Lstat(folder)
		if errors.Is(err, fs.ErrNotExist) && edit.Action != "remove" {
			err = makeFolder(folder, 0o755)
		} else if err == nil && !stats.IsDir() {
			err = fmt.Errorf("%s is no folder", folder)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
	}
	return root, nil
}

// put writes a file. A program that watches the very file would not see another one in its place: there what is there is
// written over, in one write. Else the new file takes the place of the old one at once, and no reader sees a part of it.
func (edit edit) put(path string, body io.Reader, inPlace bool) error {
	content, err := io.ReadAll(body)
	if err != nil {
		return err
	}
	if int64(len(content)) != edit.Size {
		return io.ErrUnexpectedEOF
	}
	before, err := os.Lstat(path)
	if err == nil && before.IsDir() {
		if err := os.RemoveAll(path); err != nil {
			return err
		}
		before = nil
	}
	if inPlace && before != nil && before.Mode().IsRegular() {
		return edit.overwrite(path, content)
	}
	temporary := filepath.Join(filepath.Dir(path), ".fastloop-"+filepath.Base(path)+"~")
	if err := os.WriteFile(temporary, content, 0o600); err != nil {
		return err
	}
	if err := edit.own(temporary, path, before); err == nil {
		err = os.Rename(temporary, path)
		if err == nil {
			return nil
		}
	}
	_ = os.Remove(temporary)
	return err
}

func (edit edit) overwrite(path string, content []byte) error {
	file, err := os.OpenFile(path, os.O_WRONLY|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return err
	}
	defer file.Close()
	if len(content) > 0 {
		if _, err := file.WriteAt(content, 0); err != nil {
			return err
		}
	}
	if stats, err := file.Stat(); err == nil && stats.Size() > int64(len(content)) {
		if err := file.Truncate(int64(len(content))); err != nil {
			return err
		}
	}
	return file.Chmod(fileMode(edit.Mode))
}

// own gives a new file the owner of the one that it replaces, else of the folder that it is in.
func (edit edit) own(file, path string, before os.FileInfo) error {
	if before == nil {
		folder, err := os.Lstat(filepath.Dir(path))
		if err != nil {
			return err
		}
		before = folder
	}
	stats := before.Sys().(*syscall.Stat_t)
	if err := os.Lchown(file, int(stats.Uid), int(stats.Gid)); err != nil {
		return err
	}
	if edit.Action == "link" {
		return nil
	}
	return os.Chmod(file, fileMode(edit.Mode))
}

func (edit edit) folder(path string) error {
	if stats, err := os.Lstat(path); err == nil && !stats.IsDir() {
		if err := os.Remove(path); err != nil {
			return err
		}
	} else if err == nil {
		return os.Chmod(path, fileMode(edit.Mode))
	}
	return makeFolder(path, fileMode(edit.Mode))
}

func (edit edit) link(path string) error {
	before, err := os.Lstat(path)
	if err == nil && before.IsDir() {
		if err := os.RemoveAll(path); err != nil {
			return err
		}
		before = nil
	}
	temporary := filepath.Join(filepath.Dir(path), ".fastloop-"+filepath.Base(path)+"~")
	_ = os.Remove(temporary)
	if err := os.Symlink(edit.Target, temporary); err != nil {
		return err
	}
	if err := edit.own(temporary, path, before); err != nil {
		return err
	}
	return os.Rename(temporary, path)
}

func makeFolder(path string, mode os.FileMode) error {
	if err := os.Mkdir(path, mode); err != nil {
		return err
	}
	if parent, err := os.Lstat(filepath.Dir(path)); err == nil {
		stats := parent.Sys().(*syscall.Stat_t)
		_ = os.Lchown(path, int(stats.Uid), int(stats.Gid))
	}
	return os.Chmod(path, mode)
}

func fileMode(bits uint32) os.FileMode { return os.FileMode(bits & 0o777) }

func inodeOf(path string) uint64 {
	var stats syscall.Stat_t
	if syscall.Lstat(path, &stats) != nil {
		return 0
	}
	return stats.Ino
}

// watchedInodes are the files and folders that programs of this container have told the kernel to watch.
func watchedInodes() map[uint64]bool {
	found := map[uint64]bool{}
	infos, _ := filepath.Glob("/proc/[0-9]*/fdinfo/*")
	for _, info := range infos {
		content, err := os.ReadFile(info)
		if err != nil || !strings.Contains(string(content), "inotify wd:") {
			continue
		}
		for _, line := range strings.Split(string(content), "\n") {
			_, rest, isWatch := strings.Cut(line, " ino:")
			if !isWatch || !strings.HasPrefix(line, "inotify") {
				continue
			}
			number, _, _ := strings.Cut(rest, " ")
			if inode, err := strconv.ParseUint(number, 16, 64); err == nil {
				found[inode] = true
			}
		}
	}
	return found
}
