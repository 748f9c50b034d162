using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace ImageStore.Snapshotters.Mounts;

/// <summary>A loop device that shows a file, read-only, until nobody has it open or mounted.</summary>
internal sealed partial class LoopDevice : IDisposable
{
    private const string Control = "/dev/loop-control";
    private const nuint GetFree = 0x4C82;
    private const nuint Configure = 0x4C0A;
    private const int ConfigBytes = 304;
    private const int FlagsOffset = 8 + 52;
    private const uint ReadOnlyAndAutoClear = 1 | 4;

    // Another process may take a free device first.
    private const int MaxAttempts = 64;

    private readonly SafeFileHandle _device;

    private LoopDevice(string path, SafeFileHandle device) => (Path, _device) = (path, device);

    public string Path { get; }

    /// <summary>Attaches a file to a free device.</summary>
    /// <exception cref="Store.Errors.ImageStoreException">There is none, or the kernel refuses.</exception>
    public static LoopDevice Attach(string file)
    {
        using var image = Open(file, FileAccess.Read);
        using var control = Open(Control, FileAccess.ReadWrite);
        for (var attempt = 1; ; attempt++)
        {
            var number = ControlNumber(control, GetFree, 0);
            if (number < 0)
            {
                throw Errno.ToException(Marshal.GetLastPInvokeError(), "No loop device is free");
            }

            var path = string.Create(CultureInfo.InvariantCulture, $"/dev/loop{number}");
            var device = Open(path, FileAccess.ReadWrite);
            var config = new byte[ConfigBytes];
            BinaryPrimitives.WriteUInt32LittleEndian(config, (uint)image.DangerousGetHandle());
            BinaryPrimitives.WriteUInt32LittleEndian(config.AsSpan(FlagsOffset), ReadOnlyAndAutoClear);
            if (ControlBytes(device, Configure, config) == 0)
            {
                return new LoopDevice(path, device);
            }

            var errno = Marshal.GetLastPInvokeError();
            device.Dispose();
            if (errno != Errno.EBUSY || attempt == MaxAttempts)
            {
                throw Errno.ToException(errno, $"The loop device {path} cannot be set up");
            }
        }
    }

    public void Dispose() => _device.Dispose();

    private static SafeFileHandle Open(string path, FileAccess access)
    {
        try
        {
            return File.OpenHandle(path, FileMode.Open, access, FileShare.ReadWrite | FileShare.Delete);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw Store.Errors.IoErrors.From(failure, $"Opening {path}");
        }
    }

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    private static partial int ControlNumber(SafeFileHandle device, nuint request, nint argument);

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    private static partial int ControlBytes(SafeFileHandle device, nuint request, byte[] argument);
}
