using System.Globalization;
using ImageStore.Shim.Interop;
using ImageStore.Shim.Loop;
using Microsoft.Win32.SafeHandles;

namespace ImageStore.Shim.Stdio;

/// <summary>The fifo that a process's input comes from.</summary>
/// <remarks>
/// The shim has it open for writing as well, so that a client may go and another come; only when that is closed does the input end with
/// the last client.
/// </remarks>
internal sealed class Input : IDisposable
{
    private readonly SafeFileHandle? _keeper;

    private Input(Watch source, SafeFileHandle? keeper) => (Source, _keeper) = (source, keeper);

    /// <summary>Where to read.</summary>
    public Watch Source { get; }

    /// <summary>Opens a fifo.</summary>
    public static Input Open(EventLoop loop, string path)
    {
        var source = Descriptors.Open(path, Descriptors.ReadOnly | Descriptors.NonBlocking | Descriptors.NoTerminal);
        SafeFileHandle? keeper = null;
        try
        {
            // By what is open, since the path may name another by now.
            var again = string.Create(CultureInfo.InvariantCulture, $"/proc/self/fd/{source.DangerousGetHandle()}");
            keeper = FileKind.IsFifo(source) ? Descriptors.Open(again, Descriptors.WriteOnly | Descriptors.NonBlocking) : null;
            return new Input(loop.Add(source), keeper);
        }
        catch
        {
            source.Dispose();
            keeper?.Dispose();
            throw;
        }
    }

    /// <summary>Lets it end with whoever else writes.</summary>
    public void Close() => _keeper?.Dispose();

    /// <inheritdoc/>
    public void Dispose()
    {
        Close();
        Source.Dispose();
    }
}
