using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using ImageStore.Runtime.Protocol.Tasks;
using ImageStore.Runtime.Ttrpc;
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
        var here = arguments.Bundle.Length > 0 ? arguments.Bundle : Environment.CurrentDirectory;
        var bundle = new BundleFiles(Path.Combine(Path.GetDirectoryName(here)!, arguments.Id));
        var commands = new CommandRunner(loop, children, ShimEnvironment.OfCommands());
        var runtime = new OciRuntime(commands, bundle.ReadOptions(), arguments.Namespace, bundle.Log);
        await TryAsync("delete the container", () => runtime.DeleteAsync(arguments.Id, force: true, CancellationToken.None)).ConfigureAwait(false);
        await TryAsync("unmount its root", () => Rootfs.UnmountAsync(bundle.Rootfs, loop.Time)).ConfigureAwait(false);
        StandardStreams.WriteOutput(new DeleteResponse
        {
            Pid = (uint)(BundleFiles.ReadPid(bundle.InitPid) ?? 0),
            ExitStatus = Killed,
            ExitedAt = Timestamp.FromDateTimeOffset(loop.Time.GetUtcNow()),
        }.ToByteArray());
    }

    private static async Task TryAsync(string action, Func<Task> run)
    {
        try
        {
            await run().ConfigureAwait(false);
        }
        catch (Exception refused) when (refused is RpcException or ImageStoreException)
        {
            ShimLog.Warning($"Cannot {action}: {refused.Message}");
        }
    }
}
