namespace ImageStore.Runtime.Security.Seccomp;

/// <summary>The system calls that any container may make, by what they are for.</summary>
/// <remarks>The set is that of containerd's newest default profile (contrib/seccomp); names that a kernel or libseccomp does not know are passed over.</remarks>
internal static class UsualCalls
{
    // Files and directories, by name and by descriptor.
    private const string Files = """
        access chdir chmod chown chown32 close close_range copy_file_range creat dup dup2 dup3 faccessat
        faccessat2 fadvise64 fadvise64_64 fallocate fanotify_mark fchdir fchmod fchmodat fchmodat2 fchown
        fchown32 fchownat fcntl fcntl64 fdatasync fgetxattr flistxattr flock fremovexattr fsetxattr fstat
        fstat64 fstatat64 fstatfs fstatfs64 fsync ftruncate ftruncate64 futimesat getcwd getdents getdents64
        getxattr getxattrat inotify_add_watch inotify_init inotify_init1 inotify_rm_watch ioctl lchown
        lchown32 lgetxattr link linkat listmount listxattr listxattrat llistxattr _llseek lremovexattr lseek
        lsetxattr lstat lstat64 mkdir mkdirat mknod mknodat name_to_handle_at newfstatat open openat openat2
        pipe pipe2 pread64 preadv preadv2 pwrite64 pwritev pwritev2 read readahead readlink readlinkat readv
        removexattr removexattrat rename renameat renameat2 rmdir sendfile sendfile64 setxattr setxattrat
        splice stat stat64 statfs statfs64 statmount statx symlink symlinkat sync sync_file_range syncfs tee
        truncate truncate64 umask unlink unlinkat utime utimensat utimensat_time64 utimes vmsplice write
        writev
        """;

    // Waiting for something, and asynchronous input and output; io_uring, which gets round this filter, is not among them.
    private const string Waiting = """
        epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait epoll_wait_old
        eventfd eventfd2 futex futex_requeue futex_time64 futex_wait futex_waitv futex_wake get_robust_list
        io_cancel io_destroy io_getevents io_pgetevents io_pgetevents_time64 io_setup io_submit membarrier
        _newselect pause poll ppoll ppoll_time64 pselect6 pselect6_time64 rseq select set_robust_list
        """;

    // Memory.
    private const string Memory = """
        brk cachestat madvise map_shadow_stack memfd_create memfd_secret mincore mlock mlock2 mlockall mmap
        mmap2 mprotect mremap mseal msync munlock munlockall munmap pkey_alloc pkey_free pkey_mprotect
        process_mrelease remap_file_pages
        """;

    // Processes, threads and their scheduling; clone is apart.
    private const string Processes = """
        execve execveat exit exit_group fork get_thread_area getcpu getpgid getpgrp getpid getppid getpriority
        getrlimit getrusage getsid gettid ioprio_get ioprio_set pidfd_open prctl prlimit64
        sched_get_priority_max sched_get_priority_min sched_getaffinity sched_getattr sched_getparam
        sched_getscheduler sched_rr_get_interval sched_rr_get_interval_time64 sched_setaffinity sched_setattr
        sched_setparam sched_setscheduler sched_yield set_thread_area set_tid_address setpgid setpriority
        setrlimit setsid sysinfo ugetrlimit uname uretprobe vfork wait4 waitid waitpid
        """;

    // Users, groups and what takes rights away.
    private const string Rights = """
        capget capset getegid getegid32 geteuid geteuid32 getgid getgid32 getgroups getgroups32 getrandom
        getresgid getresgid32 getresuid getresuid32 getuid getuid32 landlock_add_rule landlock_create_ruleset
        landlock_restrict_self lsm_get_self_attr lsm_list_modules lsm_set_self_attr seccomp setfsgid
        setfsgid32 setfsuid setfsuid32 setgid setgid32 setgroups setgroups32 setregid setregid32 setresgid
        setresgid32 setresuid setresuid32 setreuid setreuid32 setuid setuid32
        """;

    // Signals.
    private const string Signals = """
        alarm kill pidfd_send_signal restart_syscall rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo
        rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_sigtimedwait_time64 rt_tgsigqueueinfo sigaltstack
        signalfd signalfd4 sigprocmask sigreturn tgkill tkill
        """;

    // Sockets but for socket itself, System V and POSIX queues.
    private const string Messages = """
        accept accept4 bind connect getpeername getsockname getsockopt ipc listen mq_getsetattr mq_notify
        mq_open mq_timedreceive mq_timedreceive_time64 mq_timedsend mq_timedsend_time64 mq_unlink msgctl
        msgget msgrcv msgsnd recv recvfrom recvmmsg recvmmsg_time64 recvmsg semctl semget semop semtimedop
        semtimedop_time64 send sendmmsg sendmsg sendto setsockopt shmat shmctl shmdt shmget shutdown
        socketcall socketpair
        """;

    // Clocks and timers; adjtime and its kin are refused by the kernel without CAP_SYS_TIME.
    private const string Time = """
        adjtimex clock_adjtime clock_adjtime64 clock_getres clock_getres_time64 clock_gettime clock_gettime64
        clock_nanosleep clock_nanosleep_time64 getitimer gettimeofday nanosleep setitimer time timer_create
        timer_delete timer_getoverrun timer_gettime timer_gettime64 timer_settime timer_settime64
        timerfd_create timerfd_gettime timerfd_gettime64 timerfd_settime timerfd_settime64 times
        """;

    // Others' memory: the kernel asks for CAP_SYS_PTRACE or an own child, and since 4.8 a tracer cannot get round this filter.
    private const string Tracing = "process_vm_readv process_vm_writev ptrace";

    /// <summary>All names.</summary>
    public static IReadOnlyList<string> Names { get; } = Words(string.Join(' ', Files, Waiting, Memory, Processes, Rights, Signals, Messages, Time, Tracing));

    internal static string[] Words(string text) => text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
}
