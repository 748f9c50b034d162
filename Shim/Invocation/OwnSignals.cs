using ImageStore.Shim.Interop;

namespace ImageStore.Shim.Invocation;

/// <summary>Has signals wait until they are read.</summary>
internal static class OwnSignals
{
    /// <summary>Begins the program anew unless all of its threads have them blocked: .NET began one before it got here.</summary>
    /// <exception cref="Store.Errors.ImageStoreException">It cannot be begun anew.</exception>
    public static void Take()
    {
        if (!Signals.BlockTaken())
        {
            Spawn.Become(Environment.ProcessPath!, Environment.GetCommandLineArgs(), ShimEnvironment.OfShim(eventsSocket: string.Empty));
            throw Errno.Failure("Beginning anew");
        }
    }
}
