using ImageStore.Runtime.Ttrpc;
using ImageStore.Shim.Interop;
using ImageStore.Shim.Logging;
using ImageStore.Shim.Loop;
using Microsoft.Win32.SafeHandles;

namespace ImageStore.Shim.Stdio;

/// <summary>The socket over which an OCI runtime sends the terminal that it made (its option <c>--console-socket</c>).</summary>
internal sealed class ConsoleSocket : IDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    // A socket's path is short, which a bundle's need not be.
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("pty");
    private readonly EventLoop _loop;
    private readonly Watch _listener;
    private bool _isDisposed;

    public ConsoleSocket(EventLoop loop)
    {
        _loop = loop;
        Path = System.IO.Path.Combine(_folder.FullName, "pty.sock");
        try
        {
            _listener = loop.Add(UnixSockets.TryListen(Path)!);
        }
        catch
        {
            _folder.Delete();
            throw;
        }
    }

    /// <summary>What the runtime is told.</summary>
    public string Path { get; }

    /// <summary>Takes the terminal.</summary>
    /// <exception cref="RpcException">The runtime sent none.</exception>
    public async Task<SafeFileHandle> ReceiveAsync(CancellationToken cancellation)
    {
        using var late = new CancellationTokenSource(s_patience, _loop.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, late.Token);
        try
        {
            SafeFileHandle? accepted;
            while ((accepted = UnixSockets.TryAccept(_listener.File)) is null)
            {
                await _listener.ReadableAsync(either.Token).ConfigureAwait(false);
            }

            using var connection = _loop.Add(accepted);
            SafeFileHandle? terminal;
            while (!UnixSockets.TryTakeDescriptor(connection.File, out terminal))
            {
                await connection.ReadableAsync(either.Token).ConfigureAwait(false);
            }

            return terminal ?? throw new RpcException(RpcCode.Unknown, "The OCI runtime sent no terminal.");
        }
        catch (OperationCanceledException) when (late.IsCancellationRequested)
        {
            throw new RpcException(RpcCode.Unknown, $"The OCI runtime sent no terminal within {s_patience}.");
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // Once: as soon as the name is free, whoever may write beside it may make another folder of that name.
        if (_isDisposed)
        {
            return;
        }

        _isDisposed = true;
        _listener.Dispose();
        try
        {
            File.Delete(Path);
            _folder.Delete();
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            ShimLog.Warning($"{_folder.FullName} is left: {refused.Message}");
        }
    }
}
