using ImageStore.Shim.Interop;
using Microsoft.Win32.SafeHandles;

namespace ImageStore.Shim.Stdio;

/// <summary>A process that has nothing to read and whose output nobody wants.</summary>
internal sealed class NoStdio : ProcessStdio
{
    private readonly SafeFileHandle _nothing = Descriptors.Open("/dev/null", Descriptors.ReadWrite);

    /// <inheritdoc/>
    public override IReadOnlyList<SafeFileHandle> Child => [_nothing, _nothing, _nothing];

    /// <inheritdoc/>
    public override Task BeginAsync(CancellationToken cancellation)
    {
        _nothing.Dispose();
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        _nothing.Dispose();
        base.Dispose(disposing);
    }
}
