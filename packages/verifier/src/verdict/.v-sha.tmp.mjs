import crypto from 'node:crypto';
const K=new Int32Array(64);{let n=0;const f=x=>((x-Math.floor(x))*2**32)|0;for(let p=2;n<64;p++){let ok=true;for(let q=2;q*q<=p;q++)if(p%q===0)ok=false;if(ok){K[n++]=f(Math.cbrt(p));}}}
// generate: 16 unrolled rounds with locals for w
let src=`const n=s.length;let all=0;`;
const W=new Int32Array(16);
const fillSrc=`let i=0,t=0;const full=n&~3;
 for(;i<full;i+=4,t++){const a=s.charCodeAt(i),b=s.charCodeAt(i+1),c=s.charCodeAt(i+2),d=s.charCodeAt(i+3);all|=a|b|c|d;W[t]=(a<<24)|(b<<16)|(c<<8)|d}
 let last=0,sh=24;for(;i<n;i++,sh-=8){const a=s.charCodeAt(i);all|=a;last|=a<<sh}
 W[t++]=last|(0x80<<sh);for(;t<15;t++)W[t]=0;W[15]=n<<3;if(all>127)return 0;`;
const v='abcdefgh'.split('');
function round(i,k,w){const r=n=>v[(n-i%8+16)%8];const [a,b,c,d,e,f,g,h]=[0,1,2,3,4,5,6,7].map(r);
 return `${h}=(${h}+((${e}>>>6|${e}<<26)^(${e}>>>11|${e}<<21)^(${e}>>>25|${e}<<7))|0)+((${g}^(${e}&(${f}^${g})))+(${k}+${w}|0)|0)|0;${d}=${d}+${h}|0;${h}=${h}+(((${a}>>>2|${a}<<30)^(${a}>>>13|${a}<<19)^(${a}>>>22|${a}<<10))+((${a}&${b})|(${c}&(${a}|${b})))|0)|0;\n`}
function gen(kind){let o=src+fillSrc+'let a=0x6a09e667,b=0xbb67ae85|0,c=0x3c6ef372,d=0xa54ff53a|0,e=0x510e527f,f=0x9b05688c|0,g=0x1f83d9ab,h=0x5be0cd19;\n';
 const sched=(i)=>`W[${i}]=(((W[${(i+1)%16}]>>>7|W[${(i+1)%16}]<<25)^(W[${(i+1)%16}]>>>18|W[${(i+1)%16}]<<14)^(W[${(i+1)%16}]>>>3))+W[${(i+9)%16}]|0)+(((W[${(i+14)%16}]>>>17|W[${(i+14)%16}]<<15)^(W[${(i+14)%16}]>>>19|W[${(i+14)%16}]<<13)^(W[${(i+14)%16}]>>>10))+W[${i}]|0)|0;\n`;
 const schedL=(i)=>sched(i).replace(/W\[(\d+)\]/g,'w$1');
 if(kind==='array'){for(let i=0;i<16;i++)o+=round(i,`K[${i}]`,`W[${i}]`);o+='for(let t=16;t<64;t+=16){\n';for(let i=0;i<16;i++)o+=sched(i)+round(i,`K[t+${i}]`,`W[${i}]`);o+='}\n';}
 if(kind==='locals'){for(let i=0;i<16;i++)o+=`let w${i}=W[${i}];`;for(let i=0;i<16;i++)o+=round(i,`${K[i]}`,`w${i}`);o+='for(let t=16;t<64;t+=16){\n';for(let i=0;i<16;i++)o+=schedL(i)+round(i,`K[t+${i}]`,`w${i}`);o+='}\n';}
 if(kind==='full'){for(let i=0;i<16;i++)o+=`let w${i}=W[${i}];`;for(let t=0;t<64;t++){if(t>=16)o+=schedL(t%16);o+=round(t,`${K[t]}`,`w${t%16}`)}}
 o+='out[0]=a+0x6a09e667;out[1]=b+0xbb67ae85;out[2]=c+0x3c6ef372;out[3]=d+0xa54ff53a;return out[0]';
 return new Function('W','K','out',`return function ${kind}(s){${o}}`)(W,K,out)}
const out=new Int32Array(4);
export const full=gen('full'), locals=gen('locals'); export {out};
