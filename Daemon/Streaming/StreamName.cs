namespace ImageStore.Daemon.Streaming;

/// <summary>What a stream is found by: nobody takes one of another user, over which credentials may come.</summary>
/// <param name="Namespace">The namespace.</param>
/// <param name="User">Whose it is; null where the kernel does not tell.</param>
/// <param name="Id">What the client calls it.</param>
internal readonly record struct StreamName(string Namespace, uint? User, string Id)
{
    /// <summary>On whose account it is.</summary>
    public (string Namespace, uint? User) Owner => (Namespace, User);
}
