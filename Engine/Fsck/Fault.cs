namespace ImageStore.Engine.Fsck;

/// <summary>A finding, and how it is put right.</summary>
/// <param name="Finding">What is out of order.</param>
/// <param name="Repair">Puts it right, and says how; null when it could not. Null itself where nothing is to be done.</param>
internal sealed record Fault(Finding Finding, Func<CancellationToken, Task<string?>>? Repair = null);
