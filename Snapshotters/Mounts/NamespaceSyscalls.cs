using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace ImageStore.Snapshotters.Mounts;

/// <summary>The calls that make namespaces and say as whom a thread acts.</summary>
internal static unsafe partial class NamespaceSyscalls
{
    public const int NewUser = 0x10000000;
    public const int NewMounts = 0x20000;
    public const int Kill = 9;
    private const int AllChildren = 0x40000000;
    private const int SetMask = 2;
    private const int BrokenPipe = 13;
    private const int SignalSetBytes = 128;
    private const int CapabilityVersion = 0x20080522;

    /// <summary>Starts a process that shares no memory with this one and runs <paramref name="function"/> of the C library alone.</summary>
    [LibraryImport("libc", EntryPoint = "clone", SetLastError = true)]
    public static partial int Clone(nint function, void* stackTop, int flags, nint argument);

    [LibraryImport("libc", EntryPoint = "kill")]
    public static partial int Signal(int process, int signal);

    [LibraryImport("libc", EntryPoint = "unshare", SetLastError = true)]
    public static partial int Unshare(int flags);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial SafeFileHandle Open(string path, int flags);

    /// <summary>Of the calling thread alone; the kernel then drops its capabilities on files.</summary>
    [LibraryImport("libc", EntryPoint = "setfsuid")]
    public static partial int SetFileUser(uint id);

    [LibraryImport("libc", EntryPoint = "setfsgid")]
    public static partial int SetFileGroup(uint id);

    [LibraryImport("libc", EntryPoint = "geteuid")]
    public static partial uint EffectiveUser();

    [LibraryImport("libc", EntryPoint = "getegid")]
    public static partial uint EffectiveGroup();

    /// <summary>The same open file under a number that a program which this process becomes has too.</summary>
    [LibraryImport("libc", EntryPoint = "dup", SetLastError = true)]
    public static partial SafeFileHandle Inherited(SafeFileHandle file);

    /// <summary>Turns this process into a program; returns the error number when that fails.</summary>
    public static int Become(string program, IReadOnlyList<string> arguments, IReadOnlyList<string> environment)
    {
        var (words, variables) = (Texts(arguments), Texts(environment));

        // The runtime ignores it, and what is ignored stays so.
        var before = SetHandler(BrokenPipe, 0);
        fixed (nint* wordList = words, variableList = variables)
        {
            _ = Execute(program, wordList, variableList);
        }

        var errno = Marshal.GetLastPInvokeError();
        _ = SetHandler(BrokenPipe, before);
        foreach (var text in (nint[])[.. words, .. variables])
        {
            Marshal.FreeCoTaskMem(text);
        }

        return errno;
    }

    /// <summary>Waits for a process of <see cref="Clone"/> to be gone.</summary>
    public static void Reap(int process)
    {
        while (WaitPid(process, null, AllChildren) < 0 && Marshal.GetLastPInvokeError() == Errno.EINTR)
        {
        }
    }

    /// <summary>Runs <paramref name="body"/> while no signal reaches the calling thread.</summary>
    public static T WithoutSignals<T>(Func<T> body)
    {
        var all = stackalloc byte[SignalSetBytes];
        var before = stackalloc byte[SignalSetBytes];
        _ = FillSet(all);
        _ = SignalMask(SetMask, all, before);
        try
        {
            return body();
        }
        finally
        {
            _ = SignalMask(SetMask, before, null);
        }
    }

    /// <summary>Has the calling thread make files as another user, with the capabilities that it has.</summary>
    public static bool TryActAs(uint user, uint group)
    {
        var header = stackalloc int[] { CapabilityVersion, 0 };
        var sets = stackalloc int[6];
        if (GetCapabilities(header, sets) != 0)
        {
            return false;
        }

        _ = SetFileUser(user);
        _ = SetFileGroup(group);
        return SetCapabilities(header, sets) == 0;
    }

    // The list that execve(2) takes ends with a null.
    private static nint[] Texts(IReadOnlyList<string> texts) => [.. texts.Select(Marshal.StringToCoTaskMemUTF8), 0];

    [LibraryImport("libc", EntryPoint = "execve", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Execute(string program, nint* arguments, nint* environment);

    [LibraryImport("libc", EntryPoint = "signal")]
    private static partial nint SetHandler(int signal, nint handler);

    [LibraryImport("libc", EntryPoint = "waitpid", SetLastError = true)]
    private static partial int WaitPid(int process, int* status, int options);

    [LibraryImport("libc", EntryPoint = "sigfillset")]
    private static partial int FillSet(byte* set);

    [LibraryImport("libc", EntryPoint = "pthread_sigmask")]
    private static partial int SignalMask(int how, byte* set, byte* before);

    [LibraryImport("libc", EntryPoint = "capget", SetLastError = true)]
    private static partial int GetCapabilities(int* header, int* sets);

    [LibraryImport("libc", EntryPoint = "capset", SetLastError = true)]
    private static partial int SetCapabilities(int* header, int* sets);
}
