using System.Text;
using ImageStore.Shim.Interop;
using ImageStore.Shim.Loop;
using Microsoft.Win32.SafeHandles;

namespace ImageStore.Shim.Processes;

/// <summary>Runs programs in the loop.</summary>
internal sealed class CommandRunner(EventLoop loop, Children children, IReadOnlyCollection<string> environment)
{
    private const int OutputBytes = 64 << 10;
    private const int PieceBytes = 4096;
    private const int PiecesATurn = 16;

    /// <summary>Runs a program to its end. It is killed when the caller goes away.</summary>
    /// <exception cref="Store.Errors.ImageStoreException">It cannot be begun.</exception>
    /// <exception cref="OperationCanceledException">It was killed.</exception>
    public async Task<CommandResult> RunAsync(Command command, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        if (command.Descriptors is { } given)
        {
            return new CommandResult(await EndAsync(Begin(command, given), cancellation).ConfigureAwait(false), string.Empty);
        }

        var (read, write) = Descriptors.Pipe();
        using var output = loop.Add(read);
        int pid;
        using (write)
        using (var nothing = Descriptors.Open("/dev/null", Descriptors.ReadWrite))
        {
            pid = Begin(command, [nothing, write, write]);
        }

        var kept = new MemoryStream();
        using var ended = new CancellationTokenSource();
        var end = EndAsync(pid, cancellation);
        var reading = KeepAsync(output, kept, ended.Token);
        int code;
        try
        {
            code = await end.ConfigureAwait(false);
        }
        finally
        {
            // What it began and left running may hold the pipe; what it wrote itself is there now.
            ended.Cancel();
            await reading.ConfigureAwait(false);
        }

        return new CommandResult(code, Encoding.UTF8.GetString(kept.GetBuffer(), 0, (int)kept.Length).Trim());
    }

    /// <summary>Begins a program, and does not wait for it.</summary>
    /// <returns>Its end.</returns>
    public (int Pid, Task<int> End) Begin(
        string program, IReadOnlyList<string> arguments, IReadOnlyCollection<string> own, IReadOnlyList<SafeFileHandle> descriptors)
    {
        var pid = Spawn.Begin(program, [program, .. arguments], own, descriptors);
        return (pid, children.EndOf(pid));
    }

    private int Begin(Command command, IReadOnlyList<SafeFileHandle> descriptors) =>
        Spawn.Begin(command.Program, [command.Program, .. command.Arguments], [.. environment, .. command.Environment], descriptors);

    private async Task<int> EndAsync(int pid, CancellationToken cancellation)
    {
        var end = children.EndOf(pid);
        using (cancellation.UnsafeRegister(static pid => _ = Signals.Send((int)pid!, Signals.Kill), pid))
        {
            var code = await end.ConfigureAwait(false);
            if (code != 0)
            {
                cancellation.ThrowIfCancellationRequested();
            }

            return code;
        }
    }

    // Of a program that writes without end the first bytes are kept, and others have their turns meanwhile.
    private async Task KeepAsync(Watch output, MemoryStream kept, CancellationToken ended)
    {
        var piece = new byte[PieceBytes];
        for (var count = 1; ; count++)
        {
            var read = Descriptors.Read(output.File, piece);
            if (read > 0)
            {
                kept.Write(piece, 0, (int)Math.Min(read, OutputBytes - kept.Length));
                if (ended.IsCancellationRequested && kept.Length == OutputBytes)
                {
                    return;
                }

                if (count % PiecesATurn == 0)
                {
                    await loop.TurnAsync().ConfigureAwait(false);
                }

                continue;
            }

            if (read == 0 || Errno.Last != Errno.TryAgain || ended.IsCancellationRequested)
            {
                return;
            }

            try
            {
                await output.ReadableAsync(ended).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                // Once more, for what was written last.
            }
        }
    }
}
