using System.Globalization;
using System.Runtime.InteropServices;
using ImageStore.Store.Errors;
using Microsoft.Win32.SafeHandles;

namespace ImageStore.Snapshotters.Mounts;

/// <summary>A user namespace that nobody is in, to give its maps of ids to mounts.</summary>
internal static class UserNamespace
{
    private const int OpenCloseOnExec = 0x80000;
    private const int StackBytes = 64 * 1024;
    private const int StackAlignment = 16;

    /// <summary>Should this process be killed while the other lives, that one ends by itself so many seconds later.</summary>
    private const int LifeSeconds = 5;

    /// <summary>Opens a new namespace with these maps; dispose the handle.</summary>
    /// <exception cref="ImageStoreException">The kernel refuses it.</exception>
    public static SafeFileHandle Open(IdMapPair maps) => Open(
        process =>
        {
            File.WriteAllBytes(Place(process) + "uid_map", maps.Users.ToKernel());
            File.WriteAllBytes(Place(process) + "gid_map", maps.Groups.ToKernel());
        },
        LifeSeconds);

    /// <summary>Opens a new namespace that <paramref name="map"/> gives its maps, by a process in it; dispose the handle.</summary>
    /// <param name="map">Writes the maps.</param>
    /// <param name="lifeSeconds">The most seconds that it takes.</param>
    /// <exception cref="ImageStoreException">The kernel refuses it (<see cref="ErrorKind.FailedPrecondition"/>).</exception>
    public static SafeFileHandle Open(Action<int> map, int lifeSeconds)
    {
        var process = Start(lifeSeconds);
        try
        {
            map(process);
            var handle = NamespaceSyscalls.Open(Place(process) + "ns/user", OpenCloseOnExec);
            return handle.IsInvalid ? throw Refused(Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())) : handle;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw Refused(Printable.Of(failure.Message).TrimEnd('.'));
        }
        finally
        {
            _ = NamespaceSyscalls.Signal(process, NamespaceSyscalls.Kill);
            NamespaceSyscalls.Reap(process);
        }
    }

    // Only a new process can be the first of a user namespace, since a process with threads cannot move. A fork of this
    // runtime must not run managed code: this one runs a function of the C library that takes a number and sleeps, with
    // all signals blocked, so that no handler of ours runs there either. It sends no SIGCHLD when it ends, which .NET would look after.
    private static unsafe int Start(int lifeSeconds)
    {
        if (!NativeLibrary.TryGetExport(NativeLibrary.GetMainProgramHandle(), "sleep", out var sleep))
        {
            throw Refused("the C library has no function sleep");
        }

        var stack = (byte*)NativeMemory.AlignedAlloc(StackBytes, StackAlignment);
        try
        {
            var errno = 0;
            var process = NamespaceSyscalls.WithoutSignals(() =>
            {
                var started = NamespaceSyscalls.Clone(sleep, stack + StackBytes, NamespaceSyscalls.NewUser, lifeSeconds);
                errno = Marshal.GetLastPInvokeError();
                return started;
            });
            return process > 0 ? process : throw Refused(Marshal.GetPInvokeErrorMessage(errno));
        }
        finally
        {
            NativeMemory.AlignedFree(stack);
        }
    }

    private static string Place(int process) => string.Create(CultureInfo.InvariantCulture, $"/proc/{process}/");

    private static ImageStoreException Refused(string reason) => new(
        ErrorKind.FailedPrecondition,
        $"The kernel makes no user namespace with these maps of ids: {reason}.",
        "Look at the maps, at the sysctl user.max_user_namespaces, and whether this is root of the machine.");
}
