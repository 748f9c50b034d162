using Microsoft.Win32.SafeHandles;

namespace ImageStore.Shim.Stdio;

/// <summary>What a process reads from and writes to.</summary>
/// <remarks>
/// It is opened before the runtime begins the process, which is given <see cref="Child"/> or <see cref="ConsoleSocket"/>;
/// <see cref="BeginAsync"/> follows when the runtime has ended. Disposing of it closes all, whatever is under way.
/// </remarks>
internal abstract class ProcessStdio : IDisposable
{
    /// <summary>What the process has as 0, 1 and 2; null where it has a terminal.</summary>
    public virtual IReadOnlyList<SafeFileHandle>? Child => null;

    /// <summary>The socket over which the runtime sends the terminal, or null.</summary>
    public virtual string? ConsoleSocket => null;

    /// <summary>Ends when all that the process wrote is where it goes to.</summary>
    public virtual Task Drained => Task.CompletedTask;

    /// <summary>Lets go of the process's ends, and begins to copy.</summary>
    public virtual Task BeginAsync(CancellationToken cancellation) => Task.CompletedTask;

    /// <summary>Lets the input end.</summary>
    public virtual void CloseInput()
    {
    }

    /// <summary>Sets the terminal's size, where there is one.</summary>
    public virtual void Resize(ushort columns, ushort rows)
    {
    }

    /// <summary>The process has ended: what others write to its terminal from now on is not its output.</summary>
    public virtual void ProcessEnded()
    {
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Closes everything.</summary>
    protected virtual void Dispose(bool disposing)
    {
    }
}
