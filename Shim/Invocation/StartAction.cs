using System.Text;
using ImageStore.Shim.Interop;
using ImageStore.Shim.Oci;
using ImageStore.Store;
using ImageStore.Store.Errors;
using Microsoft.Win32.SafeHandles;

namespace ImageStore.Shim.Invocation;

/// <summary><c>start</c>: begins a shim in the background, or finds the one of the container's group, and prints where it listens.</summary>
internal static class StartAction
{
    private const int InputBytes = 10 << 20;
    private const int Attempts = 3;
    private const uint FirstOther = 3;

    public static void Run(ShimArguments arguments)
    {
        var caller = Caller.Read(StandardStreams.ReadInput(InputBytes), arguments);
        var bundle = Environment.CurrentDirectory;
        var group = SocketAddress.GroupOf(BundleSpec.Read(bundle), arguments.Id);
        var path = SocketAddress.PathOf(caller.Bootstrap?.SocketDir ?? string.Empty, arguments.Address, arguments.Namespace, group);
        var address = SocketAddress.UriOf(path);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        using (SocketFolder.Lock(Path.GetDirectoryName(path)!))
        using (var listener = Listen(path))
        {
            if (listener is not null)
            {
                Begin(arguments, caller, listener, path);
            }
        }

        // By this file a containerd before 2.0 finds the shim again after its own restart.
        WholeFile.Write(new BundleFiles(bundle).Address, Encoding.UTF8.GetBytes(address), WholeFile.Private);
        StandardStreams.WriteOutput(caller.Answer(address));
    }

    /// <summary>Listens; null where a shim does already.</summary>
    private static SafeFileHandle? Listen(string path)
    {
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            if (UnixSockets.TryListen(path) is { } listener)
            {
                return listener;
            }

            var result = UnixSockets.TryConnect(path, out var other);
            other?.Dispose();
            if (result != ConnectResult.Nobody)
            {
                return null;
            }

            // Whoever listened there was killed.
            File.Delete(path);
        }

        throw new ImageStoreException(ErrorKind.Unavailable, $"The socket {path} is always taken by somebody who does not listen.");
    }

    private static void Begin(ShimArguments arguments, Caller caller, SafeFileHandle listener, string path)
    {
        var self = Environment.ProcessPath!;
        List<string> own = [self, "-namespace", arguments.Namespace, "-id", arguments.Id, "-address", arguments.Address];
        if (arguments.IsDebugging)
        {
            own.Add("-debug");
        }

        try
        {
            Signals.BlockTaken();
            Descriptors.KeepFrom(FirstOther);
            using var nothing = Descriptors.Open("/dev/null", Descriptors.ReadWrite);
            var shim = Spawn.BeginApart(self, own, ShimEnvironment.OfShim(caller.EventsSocket), [nothing, nothing, nothing, listener]);
            try
            {
                if (caller.Options.ShimCgroup.Length > 0)
                {
                    ShimCgroup.Join(caller.Options.ShimCgroup, shim);
                }

                OomScore.Raise(shim, ProcessCalls.ParentId());
            }
            catch
            {
                _ = Signals.Send(shim, Signals.Kill);
                throw;
            }
        }
        catch
        {
            File.Delete(path);
            throw;
        }
    }
}
