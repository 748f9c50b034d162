using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace ImageStore.Shim.Interop;

/// <summary>Begins programs, with no signal blocked or ignored and no descriptor but those that they are given.</summary>
internal static unsafe partial class Spawn
{
    // The C library's records are smaller; their sizes are nobody's business but its own.
    private const int RecordBytes = 1024;
    private const short SetSignalDefaults = 0x04;
    private const short SetSignalMask = 0x08;
    private const short NewSession = 0x80;

    /// <summary>Begins a program.</summary>
    /// <param name="program">A path, or a name that is looked for in PATH.</param>
    /// <param name="arguments">The first is the program's own name.</param>
    /// <param name="environment"><c>NAME=value</c>.</param>
    /// <param name="descriptors">What it has as 0, 1, 2 and so on.</param>
    /// <returns>Its process id.</returns>
    /// <exception cref="Store.Errors.ImageStoreException">It cannot be begun.</exception>
    public static int Begin(
        string program, IReadOnlyCollection<string> arguments, IReadOnlyCollection<string> environment, IReadOnlyList<SafeFileHandle> descriptors)
    {
        var attributes = stackalloc byte[RecordBytes];
        _ = AttributesInit(attributes);
        var set = stackalloc byte[SignalSet.Size];
        _ = SignalSet.Empty(set);
        _ = SetMask(attributes, set);
        _ = SignalSet.Fill(set);
        _ = SetDefaults(attributes, set);
        _ = SetFlags(attributes, SetSignalDefaults | SetSignalMask);
        return Begin(attributes, program, arguments, environment, descriptors);
    }

    /// <summary>Begins a program in a session of its own, with the signals blocked that are blocked here.</summary>
    /// <inheritdoc cref="Begin(string, IReadOnlyCollection{string}, IReadOnlyCollection{string}, IReadOnlyList{SafeFileHandle})"/>
    public static int BeginApart(
        string program, IReadOnlyCollection<string> arguments, IReadOnlyCollection<string> environment, IReadOnlyList<SafeFileHandle> descriptors)
    {
        var attributes = stackalloc byte[RecordBytes];
        _ = AttributesInit(attributes);
        _ = SetFlags(attributes, NewSession);
        return Begin(attributes, program, arguments, environment, descriptors);
    }

    /// <summary>Becomes a program; returns where that fails.</summary>
    public static void Become(string program, IReadOnlyCollection<string> arguments, IReadOnlyCollection<string> environment)
    {
        using var argv = new NativeStrings(arguments);
        using var envp = new NativeStrings(environment);
        _ = Become(program, argv.Pointer, envp.Pointer);
    }

    private static int Begin(
        byte* attributes, string program, IReadOnlyCollection<string> arguments, IReadOnlyCollection<string> environment,
        IReadOnlyList<SafeFileHandle> descriptors)
    {
        var actions = stackalloc byte[RecordBytes];
        using var argv = new NativeStrings(arguments);
        using var envp = new NativeStrings(environment);
        var moved = new List<SafeFileHandle>();
        _ = ActionsInit(actions);
        try
        {
            // Above those that the program has them as: none is written over before it is moved there.
            foreach (var descriptor in descriptors)
            {
                moved.Add(Descriptors.Duplicate(descriptor, descriptors.Count));
            }

            for (var number = 0; number < moved.Count; number++)
            {
                _ = AddDuplicate(actions, (int)moved[number].DangerousGetHandle(), number);
            }

            var error = Begin(out var pid, program, actions, attributes, argv.Pointer, envp.Pointer);
            return error == 0 ? pid : throw Store.Errors.IoErrors.FromErrno(error, $"Running {Store.Errors.Printable.Of(program)}");
        }
        finally
        {
            moved.ForEach(handle => handle.Dispose());
            _ = ActionsDestroy(actions);
            _ = AttributesDestroy(attributes);
        }
    }

    [LibraryImport("libc", EntryPoint = "posix_spawnp", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Begin(out int pid, string program, byte* actions, byte* attributes, byte** argv, byte** envp);

    [LibraryImport("libc", EntryPoint = "execve", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Become(string program, byte** argv, byte** envp);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_init")]
    private static partial int ActionsInit(byte* actions);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_destroy")]
    private static partial int ActionsDestroy(byte* actions);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_adddup2")]
    private static partial int AddDuplicate(byte* actions, int from, int to);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_init")]
    private static partial int AttributesInit(byte* attributes);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_destroy")]
    private static partial int AttributesDestroy(byte* attributes);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_setflags")]
    private static partial int SetFlags(byte* attributes, short flags);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_setsigmask")]
    private static partial int SetMask(byte* attributes, byte* set);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_setsigdefault")]
    private static partial int SetDefaults(byte* attributes, byte* set);
}
