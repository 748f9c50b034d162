using System.Runtime.InteropServices;

namespace ImageStore.Shim.Interop;

/// <summary>A null-terminated array of strings, as exec takes arguments and environment.</summary>
internal sealed unsafe class NativeStrings : IDisposable
{
    private readonly int _count;

    public NativeStrings(IReadOnlyCollection<string> strings)
    {
        _count = strings.Count;
        Pointer = (byte**)NativeMemory.AllocZeroed((nuint)(_count + 1), (nuint)sizeof(byte*));
        var at = 0;
        foreach (var text in strings)
        {
            Pointer[at++] = (byte*)Marshal.StringToCoTaskMemUTF8(text);
        }
    }

    public byte** Pointer { get; private set; }

    public void Dispose()
    {
        for (var i = 0; Pointer is not null && i < _count; i++)
        {
            Marshal.FreeCoTaskMem((nint)Pointer[i]);
        }

        NativeMemory.Free(Pointer);
        Pointer = null;
    }
}
