using System.Text;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using ImageStore.Runtime.Protocol.Runc;
using ImageStore.Runtime.Protocol.Tasks;
using ImageStore.Shim.Cgroups;
using ImageStore.Shim.Interop;
using ImageStore.Shim.Logging;
using ImageStore.Shim.Loop;
using ImageStore.Shim.Mounts;
using ImageStore.Shim.Oci;
using ImageStore.Shim.Processes;
using ImageStore.Store.Errors;

namespace ImageStore.Shim.Invocation;

/// <summary><c>delete</c>: cleans up after a shim that was killed, and prints how its container ended.</summary>
internal static class DeleteAction
{
    private const int LongestAddress = 4096;
    private const int Killed = 128 + Signals.Kill;

    public static void Run(ShimArguments arguments)
    {
        OwnSignals.Take();
        using var loop = new EventLoop();
        var children = new Children(loop.Time);
        using var signals = new SignalReader(loop, children);
        loop.Run(DeleteAsync(loop, children, arguments));
    }

    private static async Task DeleteAsync(EventLoop loop, Children children, ShimArguments arguments)
    {
        // It may be asked for one container of a group in the bundle of another.
        var here = Path.TrimEndingDirectorySeparator(arguments.Bundle.Length > 0 ? arguments.Bundle : Environment.CurrentDirectory);
        var bundle = new BundleFiles(Path.Combine(Path.GetDirectoryName(here)!, arguments.Id));
        var unattended = new Unattended(loop.Time);
        var commands = new CommandRunner(loop, children, ShimEnvironment.OfCommands());
        var runtime = new OciRuntime(commands, OptionsOf(bundle), arguments.Namespace, bundle);
        await unattended.TryAsync("end what its shim began", _ => new CommandMark(bundle.Path).EndAllAsync(loop.Time)).ConfigureAwait(false);
        await unattended.TryAsync("delete the container", limit => runtime.DeleteAsync(arguments.Id, force: true, limit)).ConfigureAwait(false);
        await unattended.TryAsync("unmount its root", _ => Rootfs.UnmountAsync(bundle.Rootfs, loop.Time)).ConfigureAwait(false);
        await unattended.TryAsync("remove its socket", _ => RemoveSocket(bundle)).ConfigureAwait(false);
        await unattended.TryAsync("remove its cgroup", _ => LeftCgroup.RemoveAsync(BundleSpec.Read(bundle.Path).CgroupPath, loop.Time)).ConfigureAwait(false);
        StandardStreams.WriteOutput(new DeleteResponse
        {
            Pid = (uint)(PidFile.Read(bundle.InitPid) ?? 0),
            ExitStatus = Killed,
            ExitedAt = Timestamp.FromDateTimeOffset(loop.Time.GetUtcNow()),
        }.ToByteArray());
    }

    private static Task RemoveSocket(BundleFiles bundle)
    {
        if (BoundedFile.TryRead(bundle.Address, LongestAddress) is { } address && SocketAddress.PathIn(Encoding.UTF8.GetString(address)) is { } path)
        {
            SocketFolder.RemoveDead(path);
        }

        return Task.CompletedTask;
    }

    // Whatever is wrong with them, most containers have the defaults, and what can be removed is.
    private static Options OptionsOf(BundleFiles bundle)
    {
        try
        {
            return BundleOptions.Read(bundle);
        }
        catch (ImageStoreException malformed)
        {
            ShimLog.Warning(malformed.Message);
            return new Options();
        }
    }
}
