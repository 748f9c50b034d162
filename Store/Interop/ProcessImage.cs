using System.Runtime.InteropServices;
using ImageStore.Store.Errors;

namespace ImageStore.Store.Interop;

/// <summary>Has the process go on as another program.</summary>
public static class ProcessImage
{
    /// <summary>Runs <paramref name="program"/> in place of this one, with its process id, environment and open standard streams.</summary>
    /// <returns>Why it did not; where it did, nothing returns.</returns>
    public static ImageStoreException Replace(string program, IReadOnlyList<string> arguments)
    {
        ArgumentNullException.ThrowIfNull(arguments);
        LibC.Exec(program, [program, .. arguments, null]);
        return IoErrors.FromErrno(Marshal.GetLastPInvokeError(), $"Starting {program}");
    }
}
