using ImageStore.Store.Interop;

namespace ImageStore.Store.Tests;

public sealed class KernelFileTests
{
    [Fact]
    public void Sync_OfWhatCannotBeSynced_Fails()
    {
        // A pipe refuses with EINVAL, which .NET's own flush takes for success, as it does all else.
        using var pipe = new System.IO.Pipes.AnonymousPipeServerStream();
        using var file = new Microsoft.Win32.SafeHandles.SafeFileHandle(pipe.SafePipeHandle.DangerousGetHandle(), ownsHandle: false);

        Assert.Equal(22, Assert.Throws<IOException>(() => KernelFile.Sync(file)).HResult);
    }
}
