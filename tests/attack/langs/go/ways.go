// SPDX-License-Identifier: MIT

// Go's own ways to run a command: `ways WAY MARK`, `ways --list`, and
// `ways --allowed PROGRAM`, which runs an allowed program in each way.  Go makes
// its own system calls: no shim sees them, with cgo or without.
package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"sort"
	"strings"
	"sync"
	"syscall"
	"time"
	"unsafe"
)

var mark, line string
var sh []string

func run(name string, words ...string) { exec.Command(name, words...).Run() }

func perl(variables ...string) {
	command := exec.Command("/usr/bin/perl", "-e", "1")
	command.Env = append(os.Environ(), variables...)
	command.Run()
}

func start(attributes *os.ProcAttr) {
	process, err := os.StartProcess("/bin/sh", sh, attributes)
	if err == nil {
		process.Wait()
	}
}

// Replaces this process: nothing may follow it.
func rawExecve() {
	path := append([]byte("/bin/sh"), 0)
	var argv []*byte
	for _, word := range sh {
		text := append([]byte(word), 0)
		argv = append(argv, &text[0])
	}
	argv = append(argv, nil)
	syscall.RawSyscall(syscall.SYS_EXECVE, uintptr(unsafe.Pointer(&path[0])),
		uintptr(unsafe.Pointer(&argv[0])), 0)
}

// What Go's scheduler does to threads that run long, and much more of it.
func storm(stop chan struct{}) {
	for {
		select {
		case <-stop:
			return
		default:
			syscall.Kill(os.Getpid(), syscall.SIGURG)
			runtime.Gosched()
		}
	}
}

func inStorm(work func()) {
	stop := make(chan struct{})
	for i := 0; i < 2; i++ {
		go storm(stop)
	}
	work()
	close(stop)
}

func crowd(work func()) {
	var group sync.WaitGroup
	for i := 0; i < 8; i++ {
		group.Add(1)
		go func() {
			defer group.Done()
			for k := 0; k < 4; k++ {
				work()
			}
		}()
	}
	group.Wait()
}

var ways = map[string]func(){
	"command":      func() { run("sh", "-c", line) },
	"command_path": func() { run("/bin/sh", "-c", line) },
	"context": func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		exec.CommandContext(ctx, "sh", "-c", line).Run()
	},
	"stdin": func() {
		command := exec.Command("sh")
		command.Stdin = strings.NewReader(line + "\n")
		command.Run()
	},
	"argv0": func() {
		command := exec.Command("/bin/sh", "-c", line)
		command.Args[0] = "true"
		command.Run()
	},
	"folder": func() {
		command := exec.Command("./sh", "-c", line)
		command.Dir = "/bin"
		command.Run()
	},
	"start_process": func() { start(&os.ProcAttr{}) },
	"session":       func() { start(&os.ProcAttr{Sys: &syscall.SysProcAttr{Setsid: true}}) },
	"pdeathsig":     func() { start(&os.ProcAttr{Sys: &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}}) },
	"fork_exec": func() {
		pid, err := syscall.ForkExec("/bin/sh", sh, &syscall.ProcAttr{})
		if err == nil {
			syscall.Wait4(pid, nil, 0, nil)
		}
	},
	"syscall_exec": func() { syscall.Exec("/bin/sh", sh, os.Environ()) },
	"raw_execve":   rawExecve,
	"env_preload":  func() { perl("LD_PRELOAD=" + os.Getenv("WAY_DIR") + "/evil.so") },
	"env_perl5opt": func() { perl("PERL5OPT=-Mevil", "PERL5LIB="+os.Getenv("WAY_DIR")) },
	"in_storm":     func() { inStorm(func() { run("sh", "-c", line) }) },
	"in_crowd":     func() { crowd(func() { run("sh", "-c", line) }) },
}

func allowed(program string) {
	words := []string{"3", "a b;c", "$x"}
	show := func(name string, change func(*exec.Cmd)) {
		var output, errors bytes.Buffer
		command := exec.Command(program, words...)
		command.Stdin = strings.NewReader("input")
		command.Stdout = &output
		command.Stderr = &errors
		change(command)
		err := command.Run()
		fmt.Println(name, err, output.String(), errors.String())
	}
	show("run", func(*exec.Cmd) {})
	show("folder", func(c *exec.Cmd) { c.Dir = "/" })
	show("environment", func(c *exec.Cmd) { c.Env = []string{} })
	show("session", func(c *exec.Cmd) { c.SysProcAttr = &syscall.SysProcAttr{Setsid: true} })
	show("missing", func(c *exec.Cmd) { c.Path = "/nonexistent/program" })
	inStorm(func() { show("in a storm", func(*exec.Cmd) {}) })

	/* none may be lost, none may hang */
	var lock sync.Mutex
	good := 0
	inStorm(func() {
		crowd(func() {
			output, _ := exec.Command(program, words...).Output()
			lock.Lock()
			defer lock.Unlock()
			if strings.HasPrefix(string(output), "[3][a b;c][$x]") {
				good++
			}
		})
	})
	fmt.Println("crowd in a storm", good)
}

func main() {
	what := os.Args[1]
	if len(os.Args) > 2 {
		mark = os.Args[2]
		line = "echo in > " + mark
		sh = []string{"sh", "-c", line}
	}
	switch what {
	case "--allowed":
		allowed(mark)
	case "--list":
		var names []string
		for name := range ways {
			names = append(names, name)
		}
		sort.Strings(names)
		fmt.Println(strings.Join(names, "\n"))
	default:
		ways[what]()
	}
}
