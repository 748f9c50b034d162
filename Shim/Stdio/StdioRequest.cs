namespace ImageStore.Shim.Stdio;

/// <summary>Where a process's input comes from and its output goes to, as a call has it.</summary>
/// <param name="Stdin">A fifo, or empty for none.</param>
/// <param name="Stdout">A fifo or a <see cref="LogUri"/>, or empty for none.</param>
/// <param name="Stderr">As <paramref name="Stdout"/>.</param>
/// <param name="Terminal">Has it a terminal? Then there is no <paramref name="Stderr"/>.</param>
internal sealed record StdioRequest(string Stdin, string Stdout, string Stderr, bool Terminal)
{
    /// <summary>Is there nothing to read and nobody to write to?</summary>
    public bool IsNone => Stdin.Length == 0 && Stdout.Length == 0 && Stderr.Length == 0;
}
